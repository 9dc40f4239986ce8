import type {Event, SliceFinished} from '../core/events.ts';
import type {Json} from '../core/json.ts';
import type {StaleReason} from '../core/reason.ts';
import {explainBriefly} from './explain-text.ts';
import {lanesOf, runSpans, type Moment, type Span} from './run-spans.ts';

/**
 * One event of the Trace Event Format: `X` a span, `i` a moment, `M` the name of a process or thread. Times are in
 * microseconds. Source: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU, which asks of
 * spans on one thread that they are apart or nested.
 */
export type TraceEvent = Place &
  (
    | {
        readonly ph: 'X';
        readonly name: string;
        readonly cat: 'node' | 'slices';
        readonly ts: number;
        readonly dur: number;
        readonly args: TraceArgs;
      }
    | {
        readonly ph: 'i';
        readonly name: string;
        readonly cat: 'node' | 'run';
        readonly ts: number;
        /** Drawn across its thread, or across everything. */
        readonly s: 't' | 'g';
        readonly args: TraceArgs;
      }
    | {
        readonly ph: 'M';
        readonly name: 'process_name' | 'thread_name' | 'process_sort_index' | 'thread_sort_index';
        readonly args: TraceArgs;
      }
  );

interface Place {
  readonly pid: number;
  readonly tid: number;
}

type TraceArgs = Readonly<Record<string, Json | undefined>>;

/** The object form of the format, which Perfetto and chrome://tracing open. */
export interface ChromeTrace {
  readonly displayTimeUnit: 'ms';
  readonly otherData: Readonly<Record<string, string>>;
  readonly traceEvents: readonly TraceEvent[];
}

/** Slices that ended in one stretch of time. */
interface Batch {
  readonly from: number;
  to: number;
  count: number;
  failed: number;
  first: string;
  last: string;
}

/** Of the run itself. Ids start at 1, and no two threads share one: to some viewers, thread 0 is that of the idle system. */
const runPlace = {pid: 1, tid: 1};
/** Slices are gathered into so many spans a node, so that a hundred thousand of them can still be drawn. */
const mostBatches = 200;

/**
 * Draws a recorded run as a trace: a process for each device, a thread for each node that it had at a time, in which nodes
 * are spans with batches of their slices inside; what was not executed is a moment on a thread of the run. A run that ended
 * early gives what it came to.
 *
 * @param events - of one run, in order; others than those of a run are passed over
 */
export function chromeTrace(events: readonly Event[]): ChromeTrace {
  const begun = events.find((event) => event.type === 'run-started');
  const origin = begun?.at ?? events[0]?.at ?? 0;
  const endedAt = events.reduce((latest, {at}) => Math.max(latest, at), origin);
  const micros = (at: number): number => Math.max(0, Math.round((at - origin) * 1000));
  const {spans, moments} = runSpans(events, endedAt);
  const traced: TraceEvent[] = [
    ...named('process', runPlace, 'run'),
    ...named('thread', runPlace, 'without a job, and notices'),
  ];
  for (const event of moments) traced.push(momentOf(event, micros(event.at)));
  const devices = [...new Set([...(begun?.devices ?? []), ...spans.map(({started}) => started.device)])];
  let tid = runPlace.tid;
  devices.forEach((device, number) => {
    const pid = runPlace.pid + 1 + number;
    const lanes = lanesOf(spans.filter(({started}) => started.device === device));
    lanes.forEach((lane, index) => {
      const place = {pid, tid: ++tid};
      if (index === 0) traced.push(...named('process', place, device));
      traced.push(...named('thread', place, `${device}, lane ${index + 1}`));
      for (const span of lane) traced.push(...spanEvents(span, place, micros));
    });
  });
  const otherData = begun ? {run: begun.runId, startedAt: new Date(begun.at).toISOString()} : {};
  return {displayTimeUnit: 'ms', otherData, traceEvents: traced};
}

function spanEvents(
  {started, finished, endedAt, slices, retries}: Span,
  place: Place,
  micros: (at: number) => number,
): readonly TraceEvent[] {
  const {node, at, engine, reasons, slices: planned} = started;
  const ts = micros(at);
  const args = {
    outcome: finished?.outcome ?? 'unfinished',
    ...reasonArgs(reasons),
    engine,
    fingerprint: finished?.fingerprint,
    unchanged: finished?.unchanged,
    slices: planned && `${planned.stale} of ${planned.total} stale`,
    metrics: Object.keys(finished?.metrics ?? {}).length > 0 ? finished?.metrics : undefined,
    retries: retries === 0 ? undefined : retries,
    failure: finished?.failure?.message,
  };
  const inside = batchesOf(slices, at, endedAt).map(({from, to, count, failed, first, last}): TraceEvent => ({
    ph: 'X',
    name: count === 1 ? first : `${count} slices`,
    cat: 'slices',
    ts: micros(from),
    dur: micros(to) - micros(from),
    ...place,
    args: {node, first, last, executed: count - failed, failed},
  }));
  return [{ph: 'X', name: node, cat: 'node', ts, dur: micros(endedAt) - ts, ...place, args}, ...inside];
}

/**
 * Slices run several at a time in warm workers, which the events do not name: what is drawn is when they ended, from the end
 * of the batch before.
 */
function batchesOf(slices: readonly SliceFinished[], from: number, to: number): readonly Batch[] {
  const size = Math.max(1, Math.ceil(slices.length / mostBatches));
  const batches: Batch[] = [];
  let batch: Batch | undefined;
  for (const {at, key, outcome} of slices) {
    const end = Math.min(Math.max(at, from), to);
    // What ended in the same millisecond cannot be told apart.
    if (batch === undefined || (batch.count >= size && end > batch.to && batch.to > batch.from)) {
      batch = {from: batch?.to ?? from, to: end, count: 0, failed: 0, first: key, last: key};
      batches.push(batch);
    }
    batch.to = Math.max(batch.to, end);
    batch.count++;
    batch.last = key;
    if (outcome === 'failed') batch.failed++;
  }
  return batches;
}

function momentOf(event: Moment, ts: number): TraceEvent {
  const place = {ph: 'i', ts, ...runPlace} as const;
  switch (event.type) {
    case 'node-finished': {
      const {node, outcome, fingerprint, failure} = event;
      return {...place, name: node, cat: 'node', s: 't', args: {outcome, fingerprint, failure: failure?.message}};
    }
    case 'node-waiting':
      return {...place, name: `${event.node} waits`, cat: 'node', s: 't', args: {holder: event.holder}};
    case 'warning':
      return {...place, name: event.failure.code, cat: 'run', s: 't', args: {message: event.failure.message}};
    case 'interrupted':
      return {...place, name: 'interrupted', cat: 'run', s: 'g', args: {times: event.times}};
  }
}

function reasonArgs(reasons: readonly StaleReason[]): TraceArgs {
  return {reason: explainBriefly(reasons), reasons: reasons.length > 0 ? reasons.map(({kind}) => kind) : undefined};
}

function named(what: 'process' | 'thread', place: Place, name: string): readonly TraceEvent[] {
  const index = what === 'process' ? place.pid : place.tid;
  return [
    {ph: 'M', name: `${what}_name`, ...place, args: {name}},
    {ph: 'M', name: `${what}_sort_index`, ...place, args: {sort_index: index}},
  ];
}
