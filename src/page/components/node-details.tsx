import type {VNode} from 'preact';
import type {PageNode} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {durationText} from '../../report/duration.ts';
import {numberText} from '../../report/number-text.ts';
import {changeText} from '../model/metric-groups.ts';
import {reasonsOf} from '../model/outcome-words.ts';
import {FailureNote} from './failure-note.tsx';
import {HashText} from './hash-text.tsx';
import {NodeInputs} from './node-inputs.tsx';
import {NodeOutputs} from './node-outputs.tsx';
import {OutcomeBadge} from './outcome-badge.tsx';
import {usePage} from './page-context.tsx';
import {Part} from './part.tsx';
import {ScrollBox} from './scroll-box.tsx';

/** Everything that is known about a node. */
export function NodeDetails({node}: {readonly node: PageNode | undefined}): VNode {
  const {index} = usePage();
  if (node === undefined) return <p>This run has no node of this name.</p>;
  const metrics = Object.entries(node.metrics);
  const changes = index.changes.get(node.id);
  return (
    <>
      <p class="node-facts">
        <OutcomeBadge outcome={node.outcome} />
        {node.wallMs !== undefined && <span>{durationText(node.wallMs)}</span>}
        {node.device !== undefined && <span>{node.device}</span>}
        {node.engine !== undefined && <span>{node.engine}</span>}
        {node.origin !== undefined && <span>{node.origin}</span>}
        {node.slices !== undefined && <span>{slicesText(node.slices)}</span>}
      </p>
      {node.outcome === 'failed' && <FailureNote node={node} />}
      <Part title="Why">
        <ul class="plain-list">
          {reasonsOf(node).map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      </Part>
      {metrics.length > 0 && (
        <Part title="Metrics">
          <table>
            <tbody>
              {metrics.map(([name, value]) => {
                const change = changes?.get(name);
                return (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td class="number">{numberText(value)}</td>
                    <td class="change">{change === undefined ? '' : changeText(change, numberText)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Part>
      )}
      <NodeOutputs node={node} />
      <NodeInputs node={node} />
      <Part title="Stage and params">
        <p>
          <code>{node.stage}</code> {index.stages.get(node.stage)?.summary}
        </p>
        <ScrollBox label="Params">
          <pre>{JSON.stringify(node.params, null, 2)}</pre>
        </ScrollBox>
        {node.fingerprint !== undefined && (
          <p>
            Fingerprint <HashText hash={node.fingerprint} of="the action" />
          </p>
        )}
      </Part>
      {node.log !== undefined && node.outcome !== 'failed' && (
        <Part title="End of its log">
          <ScrollBox label="Log">
            <pre>{node.log}</pre>
          </ScrollBox>
        </Part>
      )}
    </>
  );
}

function slicesText({total, executed, cached, failed}: NonNullable<PageNode['slices']>): string {
  const parts = [
    executed > 0 && `${executed} executed`,
    cached > 0 && `${cached} cached`,
    failed > 0 && `${failed} failed`,
  ];
  return `${countText(total, 'slice')}: ${parts.filter(Boolean).join(', ') || 'none ran'}`;
}
