import type {VNode} from 'preact';
import {useMemo} from 'preact/hooks';
import type {PageNode} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {durationText} from '../../report/duration.ts';
import {DataTable, type Column} from '../components/data-table.tsx';
import {FailureNote} from '../components/failure-note.tsx';
import {FilterBox} from '../components/filter-box.tsx';
import {NodeLink} from '../components/node-link.tsx';
import {OutcomeBadge} from '../components/outcome-badge.tsx';
import {usePage} from '../components/page-context.tsx';
import {Section} from '../components/section.tsx';
import {useShown} from '../components/show-more.tsx';
import {selectNodes} from '../model/node-selection.ts';
import {OUTCOME_SIGNS, outcomeCounts, reasonsOf} from '../model/outcome-words.ts';

/** Every node: what became of it and why; failures first. */
export function NodesSection(): VNode {
  const {index, route, refine} = usePage();
  const {outcome = '', text = ''} = route;
  const {nodes} = index.data;
  const chosen = useMemo(() => selectNodes(nodes, outcome, text), [nodes, outcome, text]);
  const failed = useMemo(() => chosen.filter(({outcome: name}) => name === 'failed'), [chosen]);
  const counts = useMemo(() => outcomeCounts(nodes), [nodes]);
  return (
    <Section name="nodes">
      <div class="filters">
        <FilterBox
          label="Filter"
          placeholder="name, stage, reason or device"
          value={text}
          result={`${countText(chosen.length, 'node')} of ${nodes.length}`}
          onChange={(words) => refine({text: words})}
        />
        <div class="choice" role="group" aria-label="Outcome">
          <button type="button" class="button" aria-pressed={outcome === ''} onClick={() => refine({outcome: ''})}>
            All {nodes.length}
          </button>
          {counts.map(([name, count]) => (
            <button
              key={name}
              type="button"
              class="button"
              aria-pressed={outcome === name}
              onClick={() => refine({outcome: outcome === name ? '' : name})}
            >
              <span aria-hidden="true">{OUTCOME_SIGNS[name]}</span> {name} {count}
            </button>
          ))}
        </div>
      </div>
      <Failures nodes={failed} />
      <DataTable
        caption="Nodes with their outcomes and reasons"
        quietCaption
        columns={COLUMNS}
        rows={chosen}
        rowKey={({id}) => id}
      />
    </Section>
  );
}

function Failures({nodes}: {readonly nodes: readonly PageNode[]}): VNode | null {
  const {shown, more} = useShown(nodes, 20);
  if (nodes.length === 0) return null;
  return (
    <div class="failures">
      <h3>{countText(nodes.length, 'failure')}</h3>
      {shown.map((node) => (
        <article key={node.id} class="card card-failure">
          <h4>
            <NodeLink id={node.id} />
          </h4>
          <FailureNote node={node} />
        </article>
      ))}
      {more}
    </div>
  );
}

const COLUMNS: readonly Column<PageNode>[] = [
  {name: 'Node', heads: true, key: ({id}) => id, view: ({id}) => <NodeLink id={id} />},
  {name: 'Outcome', key: ({outcome}) => outcome, view: ({outcome}) => <OutcomeBadge outcome={outcome} />},
  {name: 'Why', key: (node) => reasonsOf(node)[0], view: (node) => <Reasons node={node} />},
  {
    name: 'Time',
    numeric: true,
    key: ({wallMs}) => wallMs ?? null,
    view: ({wallMs}) => (wallMs === undefined ? '' : durationText(wallMs)),
  },
  {
    name: 'Slices',
    numeric: true,
    key: ({slices}) => slices?.total ?? null,
    view: ({slices}) => (slices === undefined ? '' : `${slices.executed} of ${slices.total}`),
  },
  {name: 'Device', key: ({device}) => device ?? ''},
];

function Reasons({node}: {readonly node: PageNode}): VNode {
  const [first, ...rest] = reasonsOf(node);
  if (rest.length === 0) return <span class={node.reasons.length === 0 ? 'quiet' : undefined}>{first}</span>;
  return (
    <details>
      <summary>
        {first} <span class="quiet">and {rest.length} more</span>
      </summary>
      <ul class="plain-list">
        {rest.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </details>
  );
}
