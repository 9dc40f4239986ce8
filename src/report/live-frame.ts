import {durationText} from './duration.ts';
import type {Paint} from './paint.ts';
import type {RunningNode, RunProgress} from './run-progress.ts';
import {padEnd, padStart, printable, textWidth, truncate} from './text-width.ts';
import type {TimeLeft} from './time-left.ts';

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

const mostRunning = 16;
const barColumns = 16;

/**
 * The live window: one line per running node, oldest first, then a line of counts. No line is wider than the terminal,
 * and there are at least two lines fewer than it has rows, so that what is printed above stays in sight.
 */
export function liveFrame(
  progress: RunProgress,
  left: TimeLeft | undefined,
  now: number,
  {columns, rows}: FrameSize,
  paint: Paint,
): string[] {
  // The last column stays free: writing into it makes some terminals wrap.
  const width = columns - 1;
  const room = Math.max(0, Math.min(mostRunning, rows - 3));
  const running = [...progress.running.values()];
  const shown = running.length > room ? running.slice(0, Math.max(0, room - 1)) : running;
  const lines = nodeLines(shown, now, width, paint);
  const hidden = running.length - shown.length;
  if (hidden > 0 && room > 0) lines.push(paint.dim(truncate(`  … and ${hidden} more running`, width)));
  lines.push(footer(progress, left, now, width, paint));
  return lines;
}

function nodeLines(running: readonly RunningNode[], now: number, width: number, paint: Paint): string[] {
  const names = columnWidth(running, ({node}) => node, Math.max(10, Math.floor(width * 0.45)));
  const devices = columnWidth(running, ({device}) => device, 12);
  const times = columnWidth(running, (node) => timeText(node, now), 24);
  return running.map((node) => {
    const pieces: Piece[] = [
      {text: '  '},
      {text: padEnd(truncate(node.node, names), names), style: paint.bold},
      {text: `  ${padEnd(truncate(node.device, devices), devices)}`, style: paint.note},
      {text: `  ${padStart(timeText(node, now), times)}`},
    ];
    if (node.fraction !== undefined) {
      const done = Math.round(node.fraction * barColumns);
      pieces.push(
        {text: `  ${'━'.repeat(done)}`, style: paint.good},
        {text: '─'.repeat(barColumns - done), style: paint.dim},
        {text: `  ${amountText(node)}`},
      );
    } else if (node.slices !== undefined) pieces.push({text: `  ${amountText(node)}`});
    if (node.attempt > 1) pieces.push({text: `  attempt ${node.attempt}`, style: paint.warn});
    const message = node.message === undefined ? '' : (printable(node.message).split('\n')[0] ?? '');
    if (message !== '') pieces.push({text: `  ${message}`, style: paint.dim});
    return fit(pieces, width);
  });
}

function footer(progress: RunProgress, left: TimeLeft | undefined, now: number, width: number, paint: Paint): string {
  const {counts, running, work, workDone} = progress;
  const pieces: Piece[] = [{text: `${workDone}/${work.size} nodes`, style: paint.bold}];
  const part = (text: string, style?: (text: string) => string): void => {
    pieces.push({text: ' · ', style: paint.dim}, style === undefined ? {text} : {text, style});
  };
  if (progress.interrupted > 0) part(progress.interrupted > 1 ? 'killing' : 'stopping', paint.warn);
  const queued = [...running.values()].filter((node) => node.queued).length;
  part(`${running.size - queued} running`);
  if (queued > 0) part(`${queued} queued`);
  if (counts.failed > 0) part(`${counts.failed} failed`, paint.bad);
  if (counts.blocked > 0) part(`${counts.blocked} blocked`, paint.warn);
  const skipped = counts['up-to-date'] + counts.cached;
  if (skipped > 0) part(`${skipped} cached or up to date`, paint.dim);
  if (progress.startedAt !== undefined) part(clockText(now - progress.startedAt));
  // With most of the work unknown, as in a first run, a lower bound says nothing.
  if (left !== undefined && left.ms >= 1000 && left.unknown * 2 <= work.size - workDone) {
    part(`${left.unknown > 0 ? 'at least' : 'about'} ${clockText(left.ms)} left`);
  }
  return fit(pieces, width);
}

function timeText({startedAt, queued, expectedMs}: RunningNode, now: number): string {
  if (queued) return 'queued';
  const elapsed = clockText(now - startedAt);
  return expectedMs === undefined ? elapsed : `${elapsed} / ${clockText(expectedMs)}`;
}

/** Whole seconds, so that the line changes once a second and not with every redraw. */
function clockText(ms: number): string {
  return ms < 1000 ? '0 s' : durationText(ms < 60_000 ? Math.floor(ms / 1000) * 1000 : ms).replace('.0 s', ' s');
}

function amountText({slices, fraction = 0}: RunningNode): string {
  return slices === undefined ? `${Math.floor(fraction * 100)} %` : `${slices.done}/${slices.total}`;
}

interface Piece {
  readonly text: string;
  readonly style?: (text: string) => string;
}

/** Joins the pieces, cutting the one that does not fit and dropping the rest. */
function fit(pieces: readonly Piece[], width: number): string {
  let line = '';
  let room = width;
  for (const {text, style} of pieces) {
    const cut = truncate(text, room);
    line += style === undefined ? cut : style(cut);
    room -= textWidth(cut);
    if (room <= 0 || cut !== text) break;
  }
  return line.trimEnd();
}

function columnWidth(running: readonly RunningNode[], text: (node: RunningNode) => string, most: number): number {
  return Math.min(
    most,
    running.reduce((width, node) => Math.max(width, textWidth(text(node))), 0),
  );
}
