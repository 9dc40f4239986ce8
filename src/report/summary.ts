import type {RecheckCounts, RunFinished, SliceCounts} from '../core/events.ts';
import type {Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Outcome} from '../core/plan.ts';
import {countText} from './count-text.ts';
import {durationText} from './duration.ts';
import {leftOutText} from './event-lines.ts';
import {headline} from './failure-text.ts';
import type {Paint} from './paint.ts';
import {recheckText} from './recheck-text.ts';
import {printable} from './text-width.ts';

/** A text output that its stage wants shown. */
export interface Display {
  readonly node: NodeId;
  readonly output: string;
  readonly text: string;
}

export interface SummaryParts {
  readonly finished: Pick<RunFinished, 'outcome' | 'wallMs' | 'counts' | 'recheck'>;
  readonly displays: readonly Display[];
  /** Nodes that failed, in the order they did. */
  readonly failures: readonly {readonly node: NodeId; readonly failure: Failure}[];
  /** Nodes that worked on items in this run. */
  readonly sliced: readonly {readonly node: NodeId; readonly slices: SliceCounts}[];
  /** The tensor engines that were used, as `engineLine` says it; absent when none was. */
  readonly engines?: string;
  /** Where to look for the results; absent when there are none. */
  readonly results?: string;
  /** Path of the run's record for people; absent when none was kept. */
  readonly record?: string;
}

const mostFailures = 10;

/** What a run came to: displayed outputs, failures with what to do next, counts, time, and where the results are. */
export function summaryText(parts: SummaryParts, paint: Paint): string {
  const {finished, displays, failures, sliced, engines, results, record} = parts;
  const blocks: string[] = displays.map(({node, output, text}) => {
    const title = paint.dim(`${node}.${output}`);
    return `${title}\n${printable(text).trimEnd()}`;
  });
  if (failures.length > 0) blocks.push(failureBlock(failures, record, paint));
  const last = sliced.flatMap(({node, slices}) => {
    const text = leftOutText(slices);
    return text === undefined ? [] : [`${paint.warn(node)}: ${text}`];
  });
  last.push(lastLine(finished, paint));
  if (finished.recheck) last.push(recheckLine(finished.recheck, paint));
  if (engines !== undefined) last.push(engines);
  if (finished.outcome === 'interrupted' && failures.length === 0)
    last.push(paint.dim('go on with: mixdown run (what is done stays done)'));
  if (results !== undefined && finished.outcome === 'done') last.push(`results: ${paint.bold(results)}`);
  blocks.push(last.join('\n'));
  return `${blocks.join('\n\n')}\n`;
}

function recheckLine(recheck: RecheckCounts, paint: Paint): string {
  const text = recheckText(recheck);
  return recheck.differed > 0 ? paint.bad(text) : recheck.undecided + recheck.failed > 0 ? paint.warn(text) : text;
}

function failureBlock(failures: SummaryParts['failures'], record: string | undefined, paint: Paint): string {
  const lines = failures.slice(0, mostFailures).map(({node, failure}) => {
    return `  ${paint.bad('✗')} ${paint.bold(node)}: ${headline(failure.message)}`;
  });
  if (failures.length > mostFailures) lines.push(`  … and ${failures.length - mostFailures} more`);
  const [first] = failures;
  const next: string[] = [];
  if (record !== undefined && first !== undefined)
    next.push(`  its log:       mixdown show --log ${quoted(first.node)}`);
  const reproduce = failures.find(({failure}) => failure.reproduce !== undefined)?.failure.reproduce;
  if (reproduce !== undefined) next.push(`  run it alone:  ${reproduce}/reproduce.sh`);
  next.push('  after a fix:   mixdown run (what is done stays done)');
  return [`${countText(failures.length, 'node')} failed:`, ...lines, '', ...next.map((line) => paint.dim(line))].join(
    '\n',
  );
}

/** A node's name as a word for the shell: brackets are patterns to it. */
function quoted(node: NodeId): string {
  return /^[\w./-]+$/.test(node) ? node : `'${node}'`;
}

function lastLine({outcome, wallMs, counts}: SummaryParts['finished'], paint: Paint): string {
  const idle = counts.executed + counts.failed + counts.blocked + counts.cancelled === 0;
  if (outcome === 'done' && idle && counts.cached === 0) {
    return `${paint.good('up to date')}: ${countText(counts['up-to-date'], 'node')}, nothing to do (${durationText(wallMs)})`;
  }
  const word =
    outcome === 'done' ? paint.good('done') : outcome === 'failed' ? paint.bad('failed') : paint.warn('interrupted');
  return `${word} in ${durationText(wallMs)}: ${countsText(counts)}`;
}

/** `12 executed, 98 cached, 2 up to date`; what is zero is left out. */
export function countsText(counts: Readonly<Record<Outcome, number>>): string {
  const order: readonly (readonly [Outcome, string])[] = [
    ['executed', 'executed'],
    ['failed', 'failed'],
    ['blocked', 'blocked'],
    ['cancelled', 'cancelled'],
    ['cached', 'cached'],
    ['up-to-date', 'up to date'],
  ];
  const parts = order.filter(([outcome]) => counts[outcome] > 0).map(([outcome, word]) => `${counts[outcome]} ${word}`);
  return parts.length === 0 ? 'no nodes' : parts.join(', ');
}
