import type {NodeId} from '../core/pipeline.ts';
import {failedText, finishLine, logText, noticeText, planLine} from './event-lines.ts';
import {liveFrame} from './live-frame.ts';
import {LiveWindow, type Terminal} from './live-window.ts';
import type {Paint} from './paint.ts';
import type {Reporter} from './reporter.ts';
import {RunProgress} from './run-progress.ts';
import {timeLeft, type TimeLeft} from './time-left.ts';

export interface LiveOptions {
  readonly terminal: Terminal;
  readonly paint: Paint;
  readonly now: () => number;
  /** Calls back every so many milliseconds until the returned function is called; must not keep the process alive. */
  readonly every: (ms: number, tick: () => void) => () => void;
  readonly producersOf: (node: NodeId) => readonly NodeId[];
  /** Also prints finished nodes and the lines that nodes print, above the window. */
  readonly verbose: boolean;
}

/** The live view, which can step aside while the terminal belongs to somebody else. */
export interface LiveReporter extends Reporter {
  /** Takes the window away and gives the cursor back, until `resume`. */
  readonly suspend: () => void;
  readonly resume: () => void;
}

const redrawEveryMs = 100;
const forecastEveryMs = 1_000;
/** A forecast walks over all nodes that are left; beyond this many it is not worth its time. */
const forecastAtMostNodes = 20_000;

/**
 * The view for a terminal: a window with the running nodes, their progress and the forecast, drawn at most ten times a
 * second; failures, warnings and (verbose) logs scroll away above it.
 */
export function liveReporter({terminal, paint, now, every, producersOf, verbose}: LiveOptions): LiveReporter {
  const progress = new RunProgress();
  const window = new LiveWindow(terminal);
  let stop: (() => void) | undefined;
  let over = false;
  let forecast: {readonly at: number; readonly left: TimeLeft} | undefined;

  const left = (at: number): TimeLeft | undefined => {
    if (progress.work.size - progress.workDone > forecastAtMostNodes) return undefined;
    if (forecast === undefined || at - forecast.at >= forecastEveryMs) {
      forecast = {at, left: timeLeft(progress, producersOf, at)};
    }
    return {...forecast.left, ms: Math.max(0, forecast.left.ms - (at - forecast.at))};
  };
  const draw = (): void => {
    if (progress.running.size === 0 && progress.work.size === 0) return;
    const at = now();
    window.draw(liveFrame(progress, left(at), at, terminal.size(), paint));
  };
  const pause = (): void => {
    stop?.();
    stop = undefined;
    window.close();
  };
  const start = (): void => {
    if (!over) stop ??= every(redrawEveryMs, draw);
  };
  const close = (): void => {
    over = true;
    pause();
  };

  return {
    emit(event) {
      if (over) return;
      const was = event.type === 'node-finished' ? progress.running.get(event.node) : undefined;
      progress.apply(event);
      const notice = noticeText(event, progress, paint);
      if (notice !== undefined) window.print(notice);
      switch (event.type) {
        case 'run-planned':
          if (progress.work.size > 0) window.print(planLine(event));
          start();
          return;
        case 'node-finished':
          if (event.outcome === 'failed') {
            window.print(`${finishLine(event, was, progress, paint)}\n${failedText(event, was, paint)}`);
          } else if (verbose && event.outcome === 'executed') window.print(finishLine(event, was, progress, paint));
          return;
        case 'node-log':
          if (verbose) window.print(logText(event.node, event.slice, event.text, paint));
          return;
        case 'run-finished':
          close();
          return;
        default:
      }
    },
    suspend: pause,
    resume: start,
    close,
  };
}
