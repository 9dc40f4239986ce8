import type {ComponentChildren, VNode} from 'preact';
import type {Section as Name} from '../model/route.ts';
import {SECTION_TITLES} from './navigation.tsx';

interface SectionProps {
  readonly name: Name;
  /** One sentence on what is to be seen. */
  readonly about?: string;
  readonly children: ComponentChildren;
}

/** A part of the page under its heading. */
export function Section({name, about, children}: SectionProps): VNode {
  return (
    <section class={`section section-${name}`} aria-labelledby={`title-${name}`}>
      <h2 id={`title-${name}`}>{SECTION_TITLES[name]}</h2>
      {about !== undefined && <p class="about">{about}</p>}
      {children}
    </section>
  );
}
