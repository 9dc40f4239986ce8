import type {Event, NodeFinished, NodeStarted, SliceFinished} from '../core/events.ts';
import type {NodeId} from '../core/pipeline.ts';

/** A node's time on a device; the slices that it executed, in the order in which they ended. */
export interface Span {
  readonly started: NodeStarted;
  endedAt: number;
  finished?: NodeFinished;
  readonly slices: SliceFinished[];
  retries: number;
}

/** What a run says that takes no time. */
export type Moment = Extract<Event, {type: 'node-finished' | 'node-waiting' | 'warning' | 'interrupted'}>;

/**
 * The times that nodes took, in the order of their starts, and what else happened.
 *
 * @param endedAt - when what did not end is taken to have ended
 */
export function runSpans(
  events: readonly Event[],
  endedAt: number,
): {readonly spans: readonly Span[]; readonly moments: readonly Moment[]} {
  const spans: Span[] = [];
  const moments: Moment[] = [];
  const running = new Map<NodeId, Span>();
  for (const event of events) {
    switch (event.type) {
      case 'node-started': {
        // A later attempt of a node goes on in its span.
        if (running.has(event.node)) break;
        const span: Span = {started: event, endedAt, slices: [], retries: 0};
        running.set(event.node, span);
        spans.push(span);
        break;
      }
      case 'node-retry': {
        const span = running.get(event.node);
        if (span) span.retries++;
        break;
      }
      case 'slice-finished':
        if (event.outcome === 'executed' || event.outcome === 'failed') running.get(event.node)?.slices.push(event);
        break;
      case 'node-finished': {
        const span = running.get(event.node);
        running.delete(event.node);
        if (span) {
          span.finished = event;
          span.endedAt = Math.max(event.at, span.started.at);
        } else moments.push(event);
        break;
      }
      case 'node-waiting':
      case 'warning':
      case 'interrupted':
        moments.push(event);
        break;
      default:
    }
  }
  return {spans, moments};
}

/**
 * Puts each span on the first lane that is free, so that no two on one lane overlap. Of two that start together one would
 * seem to lie within the other, even if it took no time.
 *
 * @param overlapMs - by how much two on one lane may overlap after all: a job gives its place back before its result is stored
 */
export function lanesOf(spans: readonly Span[], overlapMs = 0): readonly (readonly Span[])[] {
  const lanes: Span[][] = [];
  for (const span of [...spans].sort((a, b) => a.started.at - b.started.at)) {
    const {at} = span.started;
    const free = lanes.find((lane) => lane.at(-1)!.endedAt <= at + overlapMs && lane.at(-1)!.started.at < at);
    if (free) free.push(span);
    else lanes.push([span]);
  }
  return lanes;
}
