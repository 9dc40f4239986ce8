import type {ComponentChildren, VNode} from 'preact';

/** A part of a node's details under its heading. */
export function Part({title, children}: {readonly title: string; readonly children: ComponentChildren}): VNode {
  return (
    <section class="part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}
