import {didYouMean} from '../core/closest.ts';
import {failure, type Failure} from '../core/failure.ts';
import {nodeAxes} from '../core/node-axes.ts';
import type {NodeId} from '../core/pipeline.ts';
import {parseReference} from '../core/reference.ts';
import {err, ok, type Result} from '../core/result.ts';
import {compareNodes} from '../report/metric-rows.ts';

/**
 * The nodes of records that the patterns name, by name and axis values; all without patterns. A record knows neither the graph nor
 * target groups, and its pipeline may be of another time: names and `[axis=value]` are all that can be asked for.
 */
export function matchRecorded(ids: readonly NodeId[], patterns: readonly string[]): Result<readonly NodeId[]> {
  // A record holds them in the order in which they ended.
  const nodes = ids.map((id) => ({id, ...nodeAxes(id)})).sort(compareNodes);
  if (patterns.length === 0) return ok(nodes.map(({id}) => id));
  const chosen = new Set<NodeId>();
  const failures: Failure[] = [];
  for (const pattern of patterns) {
    const parsed = parseReference(pattern);
    if (!parsed.ok || parsed.value.output !== undefined) {
      const hint = 'of recorded runs, write a node: train, train[fold=1], train[fold=1|2,levels=h1]';
      failures.push(failure('usage', `\`${pattern}\` names no recorded node`, {hint}));
      continue;
    }
    const {name, selector} = parsed.value;
    const wanted = selector?.all === false ? selector.axes : [];
    const matching = nodes.filter(
      (node) =>
        node.name === name &&
        wanted.every(({axis, choices}) => {
          const own = node.axes.get(axis);
          return own !== undefined && (choices === undefined || choices.some(({text}) => text === own));
        }),
    );
    for (const {id} of matching) chosen.add(id);
    if (matching.length > 0) continue;
    const names = new Set(nodes.map((node) => node.name));
    const hint = names.has(name) ? undefined : didYouMean(name, names);
    failures.push(failure('unknown-node', `no recorded node matches \`${pattern}\``, hint === undefined ? {} : {hint}));
  }
  return failures.length > 0 ? err(failures) : ok(nodes.flatMap(({id}) => (chosen.has(id) ? [id] : [])));
}
