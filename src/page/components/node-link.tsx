import type {VNode} from 'preact';
import type {NodeId} from '../../core/pipeline.ts';
import {useHref} from './page-context.tsx';

/** A node's name, which opens what is known about it. */
export function NodeLink({id, label}: {readonly id: NodeId; readonly label?: string}): VNode {
  const href = useHref();
  return (
    <a class="node-link" href={href({node: id})}>
      {label ?? id}
    </a>
  );
}
