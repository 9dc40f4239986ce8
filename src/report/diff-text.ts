import {countText, listText} from './count-text.ts';
import {explainLines} from './explain-text.ts';
import {groupBy} from './group-by.ts';
import {axisNames} from './metric-rows.ts';
import {numberColumn, textColumn, type ValueTable} from './metric-table.ts';
import {deltaText, numberText} from './number-text.ts';
import type {Paint} from './paint.ts';
import type {Diff, NodeChange, PairedRow, SideOrigin} from './run-diff.ts';
import {textTable} from './table.ts';
import {plainTables} from './value-table-text.ts';

/** Metric lines of one node name that are shown when they are not paired. */
const mostLines = 30;

/**
 * What differs between two runs or locks: nodes that came and went, what nodes were made from (those that changed in the same way
 * together), and metrics: paired where there are pairs, else node by node.
 *
 * @param pairs - undefined when none were asked for
 */
export function diffText(
  {before, after, added, removed, changed, same}: Diff,
  pairs: readonly PairedRow[] | undefined,
  paint: Paint,
): string {
  const head = textTable(
    [{title: ''}, {title: ''}, {title: ''}],
    [before, after].map((from, side) => {
      const [name, about] = originTexts(from);
      return [side === 0 ? 'before' : 'after', name, paint.dim(about)];
    }),
  );
  const paired = new Set(pairs?.map(({name}) => name));
  // What only one side has makes no pair.
  const single = changed.map((change) =>
    paired.has(change.name) ? {...change, metrics: change.metrics.filter(({delta}) => delta === undefined)} : change,
  );
  const tables = [...pairedTables(pairs ?? []), ...changeTables(single)];
  const blocks = [
    head,
    ...listBlock('added', added, paint.good),
    ...listBlock('removed', removed, paint.bad),
    ...(changed.length === 0 ? [] : [causes(changed, paint)]),
    ...(tables.length === 0 ? [] : [plainTables(tables, paint)]),
    ...(pairs?.length === 0 ? ['no metric differs in the pairs'] : []),
    `${countText(same, 'node')} the same${added.length + removed.length + changed.length === 0 ? ': no difference' : ''}`,
  ];
  return blocks.join('\n\n');
}

function originTexts(from: SideOrigin): readonly [name: string, about: string] {
  if (from.kind === 'run') return [from.id, from.startedAt];
  const {path, revision, commit = ''} = from;
  if (revision === undefined) return [path, 'as it is now'];
  return [path, commit.startsWith(revision) ? `at ${revision}` : `at ${revision}, ${commit.slice(0, 10)}`];
}

function listBlock(word: string, nodes: readonly string[], colour: (text: string) => string): readonly string[] {
  return nodes.length === 0 ? [] : [`${colour(word)} ${countText(nodes.length, 'node')}: ${listText(nodes, 8)}`];
}

function causes(changed: readonly NodeChange[], {bold}: Paint): string {
  const groups = groupBy(changed, (change) => [change.name, ...causeLines(change)].join('\n'));
  return [...groups.values()]
    .map((group) => {
      const first = group[0]!;
      const title = group.length === 1 ? first.node : `${first.name} ×${group.length}`;
      return [bold(title), ...causeLines(first).map((line) => `  ${line}`)].join('\n');
    })
    .join('\n');
}

function causeLines({reasons, explained, outputs, outcomes}: NodeChange): readonly string[] {
  const lines = reasons.flatMap((reason) =>
    // Digests say nothing to people, and would keep variants apart that changed in the same way.
    reason.kind === 'input-changed' && reason.entries === undefined
      ? [`input ${reason.input}${reason.index === undefined ? '' : `[${reason.index}]`}: other content`]
      : explainLines([reason]),
  );
  if (outcomes) lines.push(`${outcomes.before ?? 'pinned'} -> ${outcomes.after ?? 'pinned'}`);
  if (!explained) lines.push('what it was made from is not known any more: it is not recorded, or gone from the cache');
  else if (reasons.length > 0 && outputs.length === 0 && outcomes === undefined) lines.push('same outputs');
  else if (reasons.length === 0 && outcomes === undefined) {
    lines.push(`made from the same, with other ${outputs.length === 0 ? 'metrics' : `bytes: ${outputs.join(', ')}`}`);
  }
  return lines;
}

function changeTables(changed: readonly NodeChange[]): readonly ValueTable[] {
  return [
    ...groupBy(
      changed.filter(({metrics}) => metrics.length > 0),
      ({name}) => name,
    ),
  ].map(([name, group]) => {
    const axes = axisNames(group);
    const lines = group.flatMap(({axes: own, metrics}) =>
      metrics.map(({metric, before, after, delta}) => [
        ...axes.map((axis) => own.get(axis)),
        metric,
        before,
        after,
        delta === undefined ? undefined : deltaText(delta),
      ]),
    );
    const more = lines.length - mostLines;
    return {
      title: more > 0 ? `${name} (${mostLines} of ${lines.length}; --over pairs them, --json has all)` : name,
      columns: [...axes, 'metric'].map(textColumn).concat(['before', 'after', 'delta'].map(numberColumn)),
      rows: lines.slice(0, mostLines),
    };
  });
}

function pairedTables(pairs: readonly PairedRow[]): readonly ValueTable[] {
  return [...groupBy(pairs, ({name, over}) => `${name} over ${over.join(', ')}`)].map(([title, group]) => {
    const axes = axisNames(group);
    return {
      title,
      columns: [
        ...[...axes, 'metric'].map(textColumn),
        ...['before', 'after', deltaTitle(group), 'up', 'down', 'pairs', 'p'].map(numberColumn),
        textColumn('verdict'),
      ],
      rows: group.map((row) => [
        ...axes.map((axis) => row.axes.get(axis)),
        row.metric,
        row.before,
        row.after,
        changeText(row),
        row.up,
        row.down,
        row.pairs,
        row.p,
        row.verdict,
      ]),
    };
  });
}

/** Of what the brackets are. */
function deltaTitle(rows: readonly PairedRow[]): string {
  if (rows.some(({interval}) => interval !== undefined)) return 'delta [95 % interval]';
  return rows.some(({sd}) => sd !== undefined) ? 'delta ± sd' : 'delta';
}

/** `+0.0120 [0.0030, 0.0210]`; of too few pairs with the standard deviation instead. */
function changeText({delta, sd, interval}: PairedRow): string {
  const text = deltaText(delta);
  if (interval !== undefined) return `${text} [${numberText(interval.low)}, ${numberText(interval.high)}]`;
  return sd === undefined ? text : `${text} ± ${numberText(sd)}`;
}
