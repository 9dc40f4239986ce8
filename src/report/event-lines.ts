import type {Event, NodeFinished, NodeStarted, RunPlanned, SliceCounts} from '../core/events.ts';
import {countText} from './count-text.ts';
import {durationText} from './duration.ts';
import {explainBriefly} from './explain-text.ts';
import {failureText, headline} from './failure-text.ts';
import type {Paint} from './paint.ts';
import type {RunningNode, RunProgress} from './run-progress.ts';
import {printable} from './text-width.ts';

/** What a plan amounts to: `35 to run, 5 may run, 98 cached, 2 up to date, about 3 min 10 s`. */
export function planLine({counts, expectedMs}: Pick<RunPlanned, 'counts' | 'expectedMs'>): string {
  const parts: string[] = [];
  if (counts['will-run'] > 0) parts.push(`${counts['will-run']} to run`);
  if (counts['may-run'] > 0) parts.push(`${counts['may-run']} may run`);
  if (counts.cached > 0) parts.push(`${counts.cached} cached`);
  if (counts['up-to-date'] > 0) parts.push(`${counts['up-to-date']} up to date`);
  if (parts.length === 0) parts.push('no nodes');
  const work = counts['will-run'] + counts['may-run'];
  if (work > 0 && expectedMs !== undefined) parts.push(`about ${durationText(expectedMs)}`);
  return parts.join(', ');
}

/** `waveforms started (cpu): 110 slices, 3 stale; input clip`. */
export function startLine(event: NodeStarted, paint: Paint): string {
  const slices = event.slices
    ? `: ${countText(event.slices.total, 'slice')}, ${event.slices.stale} stale`
    : event.expectedMs === undefined
      ? ''
      : `: expected ${durationText(event.expectedMs)}`;
  const why = event.reasons.length > 0 ? paint.dim(` [${explainBriefly(event.reasons)}]`) : '';
  const place = event.engine === undefined ? event.device : `${event.device}, ${event.engine}`;
  return `${event.node} started (${place})${slices}${why}`;
}

/** Call after `progress` has taken the event in; `was` is the node as it ran, taken out before. */
export function finishLine(
  event: NodeFinished,
  was: RunningNode | undefined,
  progress: RunProgress,
  paint: Paint,
): string {
  const counter = paint.dim(`[${progress.workDone}/${progress.work.size}]`);
  const ran = event.device ?? was?.device;
  const device = ran === undefined ? '' : ` (${ran})`;
  // What a node waited for a free core or another run is not its own time.
  const took = durationText(was === undefined ? event.wallMs : event.at - was.startedAt);
  const leftOut = leftOutText(event.slices);
  const note = leftOut === undefined ? '' : `, ${paint.warn(leftOut)}`;
  switch (event.outcome) {
    case 'executed': {
      const slices = was?.slices ? `, ${countText(was.slices.total, 'slice')}` : '';
      const cutoff = event.unchanged ? paint.dim(', output unchanged') : '';
      return `${counter} ${event.node} ${paint.good('executed')} in ${took}${device}${slices}${note}${cutoff}`;
    }
    case 'failed':
      return `${counter} ${event.node} ${paint.bad('failed')} after ${took}${device}`;
    case 'up-to-date':
      return `${counter} ${event.node} up to date`;
    case 'cached':
    case 'blocked':
    case 'cancelled':
      return `${counter} ${event.node} ${event.outcome}${note}`;
  }
}

/** `2 of 150 items left out`: by their own slice, or before; undefined when none was. */
export function leftOutText(slices: SliceCounts | undefined): string | undefined {
  const {total = 0, leftOut = 0, unmatched = 0} = slices ?? {};
  return leftOut + unmatched === 0
    ? undefined
    : `${leftOut + unmatched} of ${countText(total + unmatched, 'item')} left out`;
}

/**
 * A failed node in full: message, hint, reproduce path, and its last lines of output unless the message holds them.
 */
export function failedText(event: NodeFinished, was: RunningNode | undefined, paint: Paint): string {
  const {failure} = event;
  const tail = was?.tail ?? [];
  if (failure === undefined) return '';
  const text = failureText(failure.node === undefined ? {...failure, node: event.node} : failure, paint);
  const last = tail.at(-1)?.trim() ?? '';
  if (last === '' || failure.message.includes(last) || failure.hint?.includes(last)) return text;
  const lines = tail.map((line) => `    ${printable(line)}`);
  return [text, `  ${paint.dim('last output:')}`, ...lines].join('\n');
}

/** The text for an event that is told the same way in every terminal; undefined when it says nothing by itself. */
export function noticeText(event: Event, progress: RunProgress, paint: Paint): string | undefined {
  switch (event.type) {
    case 'warning':
      return failureText(event.failure, paint, 'warning');
    case 'node-waiting':
      return `${event.node} waits for ${event.holder}, which is making the same thing`;
    case 'node-retry':
      return (
        `${event.node} ${paint.warn('failed')}, attempt ${event.attempt} of ${event.of}; trying again: ` +
        headline(event.failure.message)
      );
    case 'interrupted':
      return interruptedText(event.times, progress.running.size);
    case 'run-started':
    case 'run-planned':
    case 'node-started':
    case 'node-queue':
    case 'node-progress':
    case 'node-log':
    case 'slice-finished':
    case 'node-finished':
    case 'run-finished':
      return undefined;
  }
}

/** The lines of a node's log with the node's name before each. */
export function logText(node: string, slice: string | undefined, text: string, paint: Paint): string {
  const name = paint.dim(`${slice === undefined ? node : `${node} ${slice}`} |`);
  return printable(text.replace(/\n$/, ''))
    .split('\n')
    .map((line) => `${name} ${line}`)
    .join('\n');
}

function interruptedText(times: number, running: number): string {
  if (times > 1) return `killing ${countText(running, 'running node')}`;
  return running === 0 ? 'stopping' : `stopping ${countText(running, 'running node')}; press Ctrl-C again to kill`;
}
