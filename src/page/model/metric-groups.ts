import type {PageNode} from '../../report/page-data.ts';
import type {MetricChange, PageIndex} from './page-index.ts';
import {textFilter} from './text-filter.ts';

/** Nodes of one name with their metrics: a table of axes and numbers. */
export interface MetricGroup {
  readonly name: string;
  /** Those with more than one value. */
  readonly axes: readonly string[];
  readonly metrics: readonly string[];
  readonly nodes: readonly PageNode[];
}

/** Which nodes a table of metrics has. */
export interface MetricChoice {
  /** Name of the nodes; empty: all. */
  readonly group: string;
  readonly text: string;
  /** Only nodes with a metric that the earlier run had otherwise. */
  readonly changed: boolean;
}

/** The tables that a choice leaves; what the pipeline ends in comes first. */
export function metricGroups(index: PageIndex, {group, text, changed}: MetricChoice): readonly MetricGroup[] {
  const matches = textFilter(text);
  const groups = new Map<string, PageNode[]>();
  for (const node of index.data.nodes) {
    if (Object.keys(node.metrics).length === 0 || (group !== '' && node.name !== group)) continue;
    if (changed && !index.changes.has(node.id)) continue;
    if (text !== '' && !matches(`${node.id} ${Object.keys(node.metrics).join(' ')}`)) continue;
    const members = groups.get(node.name);
    if (members === undefined) groups.set(node.name, [node]);
    else members.push(node);
  }
  return [...groups].toReversed().map(([name, nodes]) => ({
    name,
    axes: Object.entries(index.groups.get(name)?.axes ?? {}).flatMap(([axis, values]) =>
      values.length > 1 ? [axis] : [],
    ),
    metrics: union(nodes.map(({metrics}) => Object.keys(metrics))),
    nodes,
  }));
}

/** How a metric moved, in a sign and words. */
export function changeText({before, after}: MetricChange, number: (value: number) => string): string {
  if (before === null) return '+ new';
  if (after === null) return `− gone, was ${number(before)}`;
  if (after === before) return '= same';
  return after > before ? `▲ up ${number(after - before)}` : `▼ down ${number(before - after)}`;
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())];
}
