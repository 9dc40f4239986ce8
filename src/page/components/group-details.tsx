import type {VNode} from 'preact';
import type {PageGroup, PageNode} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {durationText} from '../../report/duration.ts';
import {variantText, type PageIndex} from '../model/page-index.ts';
import {DataTable, type Column} from './data-table.tsx';
import {NodeLink} from './node-link.tsx';
import {OutcomeBadge} from './outcome-badge.tsx';
import {usePage} from './page-context.tsx';

/** The nodes of one name, with what became of each. */
export function GroupDetails({group}: {readonly group: PageGroup | undefined}): VNode {
  const {index} = usePage();
  if (group === undefined) return <p>This run has no nodes of this name.</p>;
  const nodes = group.nodes.flatMap((id) => index.nodes.get(id) ?? []);
  const summary = index.stages.get(group.stage)?.summary;
  return (
    <>
      <p class="about">
        {countText(nodes.length, 'node')} of stage <code>{group.stage}</code>
        {summary === undefined ? '' : `: ${summary}`}
      </p>
      <DataTable
        caption={`Nodes of ${group.name}`}
        quietCaption
        columns={columnsOf(index)}
        rows={nodes}
        rowKey={({id}) => id}
      />
    </>
  );
}

function columnsOf(index: PageIndex): readonly Column<PageNode>[] {
  return [
    {
      name: 'Node',
      heads: true,
      key: ({id}) => id,
      view: (node) => <NodeLink id={node.id} label={variantText(index, node)} />,
    },
    {name: 'Outcome', key: ({outcome}) => outcome, view: ({outcome}) => <OutcomeBadge outcome={outcome} />},
    {
      name: 'Time',
      numeric: true,
      key: ({wallMs}) => wallMs ?? null,
      view: ({wallMs}) => (wallMs === undefined ? '' : durationText(wallMs)),
    },
    {name: 'Device', key: ({device}) => device ?? ''},
  ];
}
