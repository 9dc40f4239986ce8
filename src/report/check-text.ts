import type {Drift, NodeCheck} from '../core/pin-check.ts';
import {countText, listText} from './count-text.ts';
import {explainLines} from './explain-text.ts';
import {groupBy} from './group-by.ts';
import type {Paint} from './paint.ts';

/** What is not as it is pinned, root causes first: nodes with the same name and the same reasons together. */
export function troubleText(checks: readonly NodeCheck[], paint: Paint): string {
  const sorted = troubleGroups(checks);
  const blocks = sorted.slice(0, mostGroups).map((group) => {
    const [first] = group;
    const colour = first.verdict === 'drifted' || first.verdict === 'stale' ? paint.bad : paint.warn;
    return [
      `${colour(first.verdict)} ${paint.bold(groupName(group))}`,
      ...checkLines(first).map((line) => `  ${line}`),
    ].join('\n');
  });
  if (sorted.length > mostGroups) blocks.push(`… and ${sorted.length - mostGroups} more; --json has all`);
  return blocks.join('\n');
}

/** Nodes that are checked alike: of one name, with the same reasons. */
type TroubleGroup = readonly [NodeCheck, ...NodeCheck[]];

/** Nodes that are not as they are pinned, without those that only follow others, in the order of their verdicts. */
export function troubleGroups(checks: readonly NodeCheck[]): readonly TroubleGroup[] {
  const roots = checks.filter(({verdict, follows}) => verdict !== 'fresh' && follows.length === 0);
  const groups = groupBy(roots, (check) => JSON.stringify([check.verdict, nameOf(check.node), checkLines(check)]));
  const order: readonly NodeCheck['verdict'][] = ['stale', 'drifted', 'unpinned', 'orphaned'];
  return order.flatMap((verdict) =>
    [...groups.values()].flatMap(([first, ...others]) =>
      first === undefined || first.verdict !== verdict ? [] : [[first, ...others] as const],
    ),
  );
}

/** `train[fold=1]`, or of several `train ×35`. */
export function groupName(group: TroubleGroup): string {
  return group.length === 1 ? group[0].node : `${nameOf(group[0].node)} ×${group.length}`;
}

const mostGroups = 40;
const mostLines = 12;

/** `92 nodes: 60 fresh, 30 stale (28 follow), 2 drifted`; of nodes that are all fresh only how many there are. */
export function verdictCounts(checks: readonly NodeCheck[]): string {
  const parts = (['fresh', 'stale', 'drifted', 'unpinned', 'orphaned'] as const).flatMap((verdict) => {
    const those = checks.filter((check) => check.verdict === verdict);
    const following = those.filter(({follows}) => follows.length > 0).length;
    if (those.length === 0 || (those.length === checks.length && verdict === 'fresh')) return [];
    return [`${those.length} ${verdict}${following === 0 ? '' : ` (${following} follow)`}`];
  });
  return [countText(checks.length, 'node'), ...(parts.length > 0 ? [parts.join(', ')] : [])].join(': ');
}

/**
 * That nodes were left out of the comparison as another engine computed them; no line when there are none.
 *
 * @param engines - that their pins are of
 */
export function otherEngineText(engines: readonly string[]): readonly string[] {
  if (engines.length === 0) return [];
  const [engine, ...more] = new Set(engines);
  const named = more.length === 0 ? `engine ${engine}` : `engines ${[engine, ...more].join(', ')}`;
  return [`not compared: ${countText(engines.length, 'node')} that another engine computed; the pins are of ${named}`];
}

/** Why a node is not as it is pinned, a line for each difference. */
export function checkLines({reasons, drifts}: NodeCheck): readonly string[] {
  // That producers have to run is told of them.
  const own = reasons.filter(({kind}) => kind !== 'upstream');
  const lines = [...explainLines(own), ...drifts.map(driftLine)];
  const more = lines.length - mostLines;
  return more > 0 ? [...lines.slice(0, mostLines), `… and ${countText(more, 'more difference')}`] : lines;
}

/** `map3 0.631 -> 0.604`. */
function driftLine(drift: Drift): string {
  const {name} = drift;
  if (drift.of === 'metric') {
    if (drift.before === undefined) return `${name}: reported, and was not`;
    if (drift.after === undefined) return `${name}: no longer reported, was ${drift.before}`;
    // Of counts, what is allowed is nothing.
    const counts = Number.isInteger(drift.before) && Number.isInteger(drift.after) && drift.allowed < 1;
    return `${name} ${pairText(drift.before, drift.after)}${counts ? '' : allowedText(drift.allowed)}`;
  }
  const output = `output ${name}`;
  switch (drift.kind) {
    case 'bytes':
      return drift.before === drift.after
        ? `${output}: other bytes, as many (${drift.before})`
        : `${output}: other bytes, ${drift.before} -> ${drift.after}`;
    case 'form':
      return `${output}: more than its numbers differs`;
    case 'number': {
      const place = drift.count === 1 ? '' : ` (number ${drift.index + 1} of ${drift.count})`;
      return `${output}: ${pairText(drift.before, drift.after)}${place}${allowedText(drift.allowed)}`;
    }
    case 'many':
      return `${output}: ${drift.count} numbers differ by about ${short(drift.difference)}${allowedText(drift.allowed)}`;
  }
}

function allowedText(allowed: number): string {
  return allowed === 0 ? '' : `, allowed ${short(allowed)}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(2)));
}

/** As many digits as tell the two apart, three at least. */
function pairText(before: number, after: number): string {
  for (let digits = 3; digits < 17; digits++) {
    const [left, right] = [before, after].map((value) => String(Number(value.toPrecision(digits))));
    if (left !== right) return `${left} -> ${right}`;
  }
  return `${before} -> ${after}`;
}

function nameOf(node: string): string {
  return node.replace(/\[.*$/s, '');
}

/** `train[fold=1], train[fold=2] and 3 more`. */
export function nodesText(nodes: readonly string[]): string {
  return listText(nodes, 3);
}
