import type {PageGroup, PageNode} from './page-data.ts';
import {groupBy} from './group-by.ts';

/**
 * The graph with its matrices collapsed: the nodes of one name are one group, in the order of their first nodes.
 *
 * @param nodes - in topological order
 */
export function pageGroups(nodes: readonly PageNode[]): readonly PageGroup[] {
  const nameOf = new Map(nodes.map(({id, name}) => [id, name]));
  return [...groupBy(nodes, ({name}) => name)].map(([name, own]) => {
    const axes = new Map<string, Set<string>>();
    const reads = new Set<string>();
    for (const node of own) {
      for (const [axis, value] of Object.entries(node.axes)) {
        const values = axes.get(axis);
        if (values) values.add(value);
        else axes.set(axis, new Set([value]));
      }
      for (const input of node.inputs) {
        if (input.from === 'source') reads.add(`source:${input.source}`);
        else {
          const producer = nameOf.get(input.node);
          if (producer !== undefined && producer !== name) reads.add(producer);
        }
      }
    }
    return {
      name,
      stage: own[0]?.stage ?? '',
      nodes: own.map(({id}) => id),
      axes: Object.fromEntries([...axes].map(([axis, values]) => [axis, [...values]])),
      reads: [...reads],
    };
  });
}
