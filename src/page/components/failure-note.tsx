import type {VNode} from 'preact';
import type {PageNode} from '../../report/page-data.ts';
import {ScrollBox} from './scroll-box.tsx';

/** Why a node failed, what to do about it, and the end of what it printed. */
export function FailureNote({node}: {readonly node: PageNode}): VNode | null {
  const {failure, log} = node;
  if (failure === undefined) return null;
  return (
    <div class="failure">
      <p class="failure-message">{failure.message}</p>
      {failure.hint !== undefined && <p class="failure-hint">{failure.hint}</p>}
      {log !== undefined && (
        <ScrollBox label={`End of the log of ${node.id}`}>
          <pre>{log}</pre>
        </ScrollBox>
      )}
      <p class="failure-code">
        <code>{failure.code}</code>
      </p>
    </div>
  );
}
