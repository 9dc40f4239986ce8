import type {VNode} from 'preact';
import type {PageInput, PageNode} from '../../report/page-data.ts';
import {NodeLink} from './node-link.tsx';
import {Part} from './part.tsx';
import {useShown} from './show-more.tsx';

/** What a node reads, port by port. */
export function NodeInputs({node}: {readonly node: PageNode}): VNode | null {
  const {shown, more} = useShown(node.inputs, 30, node.id);
  if (node.inputs.length === 0) return null;
  return (
    <Part title="Inputs">
      <ul class="file-list">
        {shown.map((input, at) => (
          <li key={at}>
            <b>{input.port}</b> <Origin input={input} />
          </li>
        ))}
      </ul>
      {more}
      {node.moreInputs !== undefined && <p class="about">{node.moreInputs} more are not in this page.</p>}
    </Part>
  );
}

function Origin({input}: {readonly input: PageInput}): VNode {
  return input.from === 'source' ? (
    <>
      source <code>{input.source}</code>
    </>
  ) : (
    <>
      <NodeLink id={input.node} /> <span class="quiet">{input.output}</span>
    </>
  );
}
