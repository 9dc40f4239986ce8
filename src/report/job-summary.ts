import type {RunFinished} from '../core/events.ts';
import type {Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {NodeCheck} from '../core/pin-check.ts';
import {checkLines, verdictCounts} from './check-text.ts';
import {countText} from './count-text.ts';
import {durationText} from './duration.ts';
import {headline} from './failure-text.ts';
import {axisNames, compareNodes, metricNames, metricRow, type MetricRow} from './metric-rows.ts';
import {numberColumn, tablesByName, textColumn, type ValueTable} from './metric-table.ts';
import {deltaText} from './number-text.ts';
import {recheckText} from './recheck-text.ts';
import {countsText} from './summary.ts';
import {markdownTables, markdownText} from './value-table-text.ts';

export type Metrics = Readonly<Record<string, unknown>>;

/** What a run came to, as far as its page tells it. */
export interface JobSummary {
  readonly finished: Pick<RunFinished, 'outcome' | 'wallMs' | 'counts' | 'recheck'>;
  /** What the results that were reused took to make, in milliseconds. */
  readonly savedMs: number;
  /** In the order in which they failed. */
  readonly failures: readonly {readonly node: NodeId; readonly failure: Failure}[];
  /** Metrics of the targets; of all nodes when no target reports any. */
  readonly metrics: ReadonlyMap<NodeId, Metrics>;
  /** What the metrics of all nodes are compared with. */
  readonly baseline?: Baseline;
  /** Metrics of every node of the run that has a result. */
  readonly all: ReadonlyMap<NodeId, Metrics>;
}

export interface Baseline {
  /** `mixdown.lock`, or the run's id. */
  readonly name: string;
  readonly metrics: ReadonlyMap<NodeId, Metrics>;
}

const mostFailures = 50;
const mostRows = 100;

/** The page as Markdown: outcome, what failed, metrics, and how they differ from before. */
export function jobSummaryText({finished, savedMs, failures, metrics, baseline, all}: JobSummary): string {
  const {outcome, wallMs, counts, recheck} = finished;
  const mark = outcome === 'done' ? '✅' : outcome === 'failed' ? '❌' : '⚠️';
  const saved = savedMs < 1000 ? '' : `; the cache saved ${durationText(savedMs)}`;
  const blocks = [`### ${mark} mixdown run ${outcome}`, `${countsText(counts)} in ${durationText(wallMs)}${saved}`];
  if (recheck) blocks.push(recheckText(recheck));
  if (failures.length > 0) blocks.push(failureTable(failures));
  if (baseline !== undefined) blocks.push(...differenceBlocks(all, baseline));
  const rows = rowsOf(metrics);
  if (rows.length > 0) {
    const tables = tablesByName(rows.slice(0, mostRows), metricNames(rows));
    if (tables.length > 0) blocks.push('#### Metrics', markdownTables(tables).trimEnd());
    if (rows.length > mostRows) blocks.push(`… and ${countText(rows.length - mostRows, 'more node')}`);
  }
  return `${blocks.join('\n\n')}\n`;
}

/** The page of a run that did not begin. */
export function failedStartText(failures: readonly Failure[]): string {
  return `### ❌ mixdown run did not begin\n\n${problemList(failures)}\n`;
}

/** What a check found. */
export interface CheckSummary {
  readonly checks: readonly NodeCheck[];
  /** Path of the lock. */
  readonly file: string;
  readonly fresh: boolean;
  /** Sources that are missing, and documents that do not say what is pinned. */
  readonly problems: readonly Failure[];
}

/** The page of a check. */
export function checkSummaryText({checks, file, fresh, problems}: CheckSummary): string {
  const roots = checks.filter(({verdict, follows}) => verdict !== 'fresh' && follows.length === 0);
  const table: ValueTable = {
    columns: ['node', 'verdict', 'why'].map(textColumn),
    rows: roots.slice(0, mostRows).map((check) => [check.node, check.verdict, checkLines(check).join('; ')]),
  };
  const more = roots.length > mostRows ? [`… and ${countText(roots.length - mostRows, 'more node')}`] : [];
  const word = fresh ? '✅ mixdown check: fresh' : '❌ mixdown check: not fresh';
  const blocks = [`### ${word}`, `${markdownText(file)}: ${verdictCounts(checks)}`];
  if (roots.length > 0) blocks.push(markdownTables([table]).trimEnd(), ...more);
  if (problems.length > 0) blocks.push(problemList(problems));
  return `${blocks.join('\n\n')}\n`;
}

/**
 * What of a text fits, cut at a line, with a note when something was cut.
 *
 * @param bytes - of UTF-8
 */
export function cutText(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const note = '\n… cut here: GitHub shows 1 MiB of a step\n';
  let kept = '';
  let left = bytes - Buffer.byteLength(note);
  for (const line of text.split(/(?<=\n)/)) {
    left -= Buffer.byteLength(line);
    if (left < 0) break;
    kept += line;
  }
  return kept === '' && left < 0 && bytes < Buffer.byteLength(note) ? '' : kept + note;
}

/** A line for each problem, with its place. */
function problemList(failures: readonly Failure[]): string {
  const lines = failures.slice(0, mostFailures).map(({message, diagnostics}) => {
    const [first] = diagnostics ?? [];
    const place = first?.range === undefined ? '' : `${first.range.file}:${first.range.line}: `;
    return `- ${markdownText(place + headline(first?.message ?? message))}`;
  });
  const more = failures.length > mostFailures ? [`- … and ${failures.length - mostFailures} more`] : [];
  return [...lines, ...more].join('\n');
}

function failureTable(failures: JobSummary['failures']): string {
  const table: ValueTable = {
    columns: ['failed node', 'why', 'hint'].map(textColumn),
    rows: failures.slice(0, mostFailures).map(({node, failure: {message, hint}}) => [node, headline(message), hint]),
  };
  const more = failures.length > mostFailures ? `\n… and ${failures.length - mostFailures} more\n` : '';
  return `${markdownTables([table])}${more}`.trimEnd();
}

/** A row for each metric that differs; what only one side has is told by an empty cell. */
function differenceBlocks(all: JobSummary['all'], {name, metrics: before}: Baseline): readonly string[] {
  const rows = [...all].flatMap(([node, own]) => (before.has(node) ? [metricRow(node, own)] : [])).sort(compareNodes);
  const changes = rows.flatMap((row) => {
    const was = metricRow(row.node, before.get(row.node)).metrics ?? new Map<string, number>();
    const is = row.metrics ?? new Map<string, number>();
    return [...new Set([...was.keys(), ...is.keys()])].flatMap((metric) => {
      const [left, right] = [was.get(metric), is.get(metric)];
      return left === right ? [] : [{row, metric, left, right}];
    });
  });
  const axes = axisNames(changes.map(({row}) => row));
  const lines = changes.map(({row, metric, left, right}) => {
    const delta = left === undefined || right === undefined ? undefined : deltaText(right - left);
    return [row.name, ...axes.map((axis) => row.axes.get(axis)), metric, left, right, delta];
  });
  const title = `#### Compared with ${markdownText(name)}`;
  const compared = rows.filter(({metrics}) => (metrics?.size ?? 0) > 0).length;
  const fresh = [...all.keys()].filter((node) => !before.has(node)).length;
  const added = fresh === 0 ? [] : [`${countText(fresh, 'node')} not in ${markdownText(name)}`];
  if (lines.length === 0) {
    return compared === 0 ? [] : [title, `The metrics of ${countText(compared, 'node')} are the same.`, ...added];
  }
  const table: ValueTable = {
    columns: [
      textColumn('node'),
      ...axes.map(textColumn),
      textColumn('metric'),
      numberColumn('before'),
      numberColumn('now'),
      numberColumn('change'),
    ],
    rows: lines.slice(0, mostRows),
  };
  const more = lines.length > mostRows ? [`… and ${countText(lines.length - mostRows, 'more metric')}`] : [];
  return [title, markdownTables([table]).trimEnd(), ...more, ...added];
}

/** Nodes that report something, by name and axes. */
function rowsOf(metrics: ReadonlyMap<NodeId, Metrics>): readonly MetricRow[] {
  return [...metrics]
    .map(([node, own]) => metricRow(node, own))
    .filter((row) => (row.metrics?.size ?? 0) > 0)
    .sort(compareNodes);
}
