import type {Event, NodeProgress, SliceFinished} from '../core/events.ts';
import type {NodeId} from '../core/pipeline.ts';
import {durationText} from './duration.ts';
import {failedText, finishLine, logText, noticeText, planLine, startLine} from './event-lines.ts';
import type {Paint} from './paint.ts';
import type {Reporter} from './reporter.ts';
import {RunProgress} from './run-progress.ts';
import {printable} from './text-width.ts';

export interface PlainOptions {
  readonly write: (text: string) => void;
  readonly paint: Paint;
  /** Also tells starts, cached nodes and the lines that nodes print. */
  readonly verbose: boolean;
  /** Only failures and warnings. */
  readonly quiet: boolean;
}

const progressEveryMs = 5_000;
const silentAtMostMs = 30_000;

/**
 * One line per event worth a line, for pipes and CI. Nodes that need no work are counted, not listed. Time comes from the
 * events, so the same events give the same text.
 */
export function plainReporter({write, paint, verbose, quiet}: PlainOptions): Reporter {
  const progress = new RunProgress();
  const toldAt = new Map<NodeId, number>();
  const line = (text: string): void => write(`${text}\n`);

  /** Of the long-running nodes, names those that have not been heard of for a while. */
  const nudge = (now: number): void => {
    for (const running of progress.running.values()) {
      if (now - (toldAt.get(running.node) ?? running.startedAt) < silentAtMostMs) continue;
      toldAt.set(running.node, now);
      line(`${running.node} still running after ${durationText(now - running.startedAt)} (${running.device})`);
    }
  };

  const told = (event: Event): void => {
    const notice = noticeText(event, progress, paint);
    if (notice !== undefined) {
      if (!quiet || event.type === 'warning') line(notice);
      return;
    }
    if (quiet) return;
    switch (event.type) {
      case 'run-planned':
        if (event.nodes.some(({status}) => status !== 'up-to-date')) line(planLine(event));
        return;
      case 'node-started':
        if (verbose || event.slices !== undefined || (event.expectedMs ?? 0) >= silentAtMostMs) {
          line(startLine(event, paint));
        }
        return;
      case 'node-progress':
      case 'slice-finished': {
        const text = progressLine(event, progress, toldAt);
        if (text !== undefined) line(text);
        return;
      }
      case 'node-log':
        if (verbose) line(logText(event.node, event.slice, event.text, paint));
        return;
      default:
    }
  };

  return {
    emit(event) {
      const was = event.type === 'node-finished' ? progress.running.get(event.node) : undefined;
      progress.apply(event);
      if (event.type !== 'node-finished') told(event);
      else {
        toldAt.delete(event.node);
        if (event.outcome === 'failed')
          line(`${finishLine(event, was, progress, paint)}\n${failedText(event, was, paint)}`);
        else if (verbose ? event.outcome !== 'up-to-date' : event.outcome === 'executed' && !quiet) {
          line(finishLine(event, was, progress, paint));
        }
      }
      if (!quiet) nudge(event.at);
    },
    close() {},
  };
}

function progressLine(
  event: NodeProgress | SliceFinished,
  progress: RunProgress,
  toldAt: Map<NodeId, number>,
): string | undefined {
  const running = progress.running.get(event.node);
  if (running === undefined) return undefined;
  if (event.at - (toldAt.get(event.node) ?? running.startedAt) < progressEveryMs) return undefined;
  toldAt.set(event.node, event.at);
  const elapsed = durationText(event.at - running.startedAt);
  if (event.type === 'slice-finished') {
    const {done = 0, total = 0} = running.slices ?? {};
    return `${event.node} ${done}/${total} slices after ${elapsed}`;
  }
  const message = event.message === undefined ? '' : `: ${printable(event.message)}`;
  return `${event.node} ${Math.floor((running.fraction ?? 0) * 100)} % after ${elapsed}${message}`;
}
