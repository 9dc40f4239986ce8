import type {VNode} from 'preact';
import {useMemo} from 'preact/hooks';
import type {PageNode} from '../../report/page-data.ts';
import {numberText} from '../../report/number-text.ts';
import {keyOf} from '../model/cell-order.ts';
import {changeText, type MetricGroup} from '../model/metric-groups.ts';
import {variantText, type PageIndex} from '../model/page-index.ts';
import {DataTable, type Column} from './data-table.tsx';
import {NodeLink} from './node-link.tsx';
import {usePage} from './page-context.tsx';

/** Metrics of the nodes of one name: a row a node, a column an axis and a metric. */
export function MetricTable({group}: {readonly group: MetricGroup}): VNode {
  const {index} = usePage();
  const columns = useMemo(() => columnsOf(index, group), [index, group]);
  return (
    <article class="metric-group">
      <h3>{group.name}</h3>
      <DataTable
        caption={`Metrics of ${group.name}`}
        quietCaption
        columns={columns}
        rows={group.nodes}
        rowKey={({id}) => id}
        step={50}
      />
    </article>
  );
}

function columnsOf(index: PageIndex, {axes, metrics}: MetricGroup): readonly Column<PageNode>[] {
  return [
    {
      name: 'Node',
      heads: true,
      key: (node) => variantText(index, node),
      view: (node) => <NodeLink id={node.id} label={variantText(index, node)} />,
    },
    ...(axes.length > 1 ? axes : []).map((axis): Column<PageNode> => ({
      name: axis,
      key: (node) => keyOf(node.axes[axis] ?? ''),
      view: (node) => node.axes[axis],
    })),
    ...metrics.map((metric): Column<PageNode> => ({
      name: metric,
      numeric: true,
      key: (node) => node.metrics[metric] ?? null,
      view: (node) => {
        const value = node.metrics[metric];
        const change = index.changes.get(node.id)?.get(metric);
        return (
          <>
            {value !== undefined && numberText(value)}
            {change !== undefined && <span class="change">{changeText(change, numberText)}</span>}
          </>
        );
      },
    })),
  ];
}
