import type {VNode} from 'preact';
import {useEffect, useRef} from 'preact/hooks';
import {SECTIONS, type Section} from '../model/route.ts';
import {useHref, usePage} from './page-context.tsx';

/** What a section is called, in the navigation and above it. */
export const SECTION_TITLES: Readonly<Record<Section, string>> = {
  results: 'Results',
  metrics: 'Metrics',
  graph: 'Graph',
  timeline: 'Timeline',
  nodes: 'What ran and why',
  provenance: 'Provenance',
  environment: 'Environment',
};

/** Links to the sections; it stays in view. */
export function Navigation(): VNode {
  const {route} = usePage();
  const href = useHref();
  const current = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    const bar = current.current?.parentElement?.parentElement;
    const link = current.current;
    if (bar && link) bar.scrollLeft = link.offsetLeft - (bar.clientWidth - link.offsetWidth) / 2;
  }, [route.section]);
  return (
    <nav class="navigation" aria-label="Sections">
      <ul>
        {SECTIONS.map((section) => (
          <li key={section}>
            <a
              href={href({section, node: undefined, group: undefined})}
              aria-current={section === route.section ? 'page' : undefined}
              ref={section === route.section ? current : null}
            >
              {SECTION_TITLES[section]}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
