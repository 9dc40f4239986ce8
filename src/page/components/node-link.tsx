import type {ComponentChildren, VNode} from 'preact';
import type {NodeId} from '../../core/pipeline.ts';
import {useHref} from './page-context.tsx';

/** A node's name, which opens what is known about it. */
export function NodeLink({id, label}: {readonly id: NodeId; readonly label?: string}): VNode {
  const href = useHref();
  return (
    <a class="node-link" href={href({node: id})}>
      {breakable(label ?? id)}
    </a>
  );
}

/** The name with places after its commas and its bracket where a line may end. */
function breakable(name: string): ComponentChildren {
  return name.split(/(?<=[,[])/).flatMap((part, at) => (at === 0 ? [part] : [<wbr key={at} />, part]));
}
