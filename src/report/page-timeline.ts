import type {Event} from '../core/events.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {PageSpan, PageTimeline} from './page-data.ts';
import {groupBy} from './group-by.ts';
import {lanesOf, runSpans, type Span} from './run-spans.ts';

/**
 * What passes between two jobs that wait for nothing but each other, in milliseconds: before a worker has begun, and after it
 * gave its place back and its result is being stored.
 */
const handOverMs = 25;

/**
 * When and where the nodes of a run worked, with the chain of work that decided when it ended.
 *
 * @param events - of one run, in order; empty when they are lost
 * @param producers - the nodes that a node reads
 */
export function pageTimeline(events: readonly Event[], producers: (node: NodeId) => readonly NodeId[]): PageTimeline {
  const begun = events.find((event) => event.type === 'run-started');
  const origin = begun?.at ?? events[0]?.at ?? 0;
  const endedAt = events.reduce((latest, {at}) => Math.max(latest, at), origin);
  const {spans} = runSpans(events, endedAt);
  const devices = [...new Set([...(begun?.devices ?? []), ...spans.map(({started}) => started.device)])];
  const since = (at: number): number => Math.max(0, at - origin);
  const lanes = devices.flatMap((device) => {
    const own = lanesOf(
      spans.filter(({started}) => started.device === device),
      handOverMs,
    );
    return own.map((lane, index) => ({
      name: own.length === 1 ? device : `${device}, lane ${index + 1}`,
      spans: lane.map((span) => pageSpan(span, since)),
    }));
  });
  return {
    endMs: since(endedAt),
    lanes,
    criticalPath: criticalPath(spans, producers),
  };
}

function pageSpan({started, endedAt, finished, slices}: Span, since: (at: number) => number): PageSpan {
  return {
    node: started.node,
    ...(started.slices === undefined ? {} : {slices: slices.length}),
    fromMs: since(started.at),
    toMs: since(endedAt),
    outcome: finished?.outcome ?? 'cancelled',
  };
}

/**
 * From the span that ended last backwards: what a span waited for is the producer that ended last before it began, or, when it
 * began later than that, the work that kept its device busy until then. First to last, each node once.
 */
function criticalPath(spans: readonly Span[], producers: (node: NodeId) => readonly NodeId[]): readonly NodeId[] {
  const byEnd = [...spans].sort((a, b) => a.endedAt - b.endedAt);
  const byNode = new Map(spans.map((span) => [span.started.node, span]));
  const byDevice = groupBy(byEnd, ({started}) => started.device);
  const path: NodeId[] = [];
  for (let span = byEnd.at(-1); span !== undefined;) {
    const {node, at, device} = span.started;
    path.push(node);
    const inputs = producers(node).flatMap((producer) => byNode.get(producer) ?? []);
    const input = lastBefore(
      inputs.sort((a, b) => a.endedAt - b.endedAt),
      at,
      at,
    );
    const occupant = lastBefore(byDevice.get(device) ?? [], at, at + handOverMs);
    const waited = input === undefined || input.endedAt < at - handOverMs;
    span = waited && occupant !== undefined && occupant.endedAt > (input?.endedAt ?? 0) ? occupant : input;
  }
  return path.reverse();
}

/** The last of `spans`, sorted by their end, that had begun before `begun` and ended by `ended`. */
function lastBefore(spans: readonly Span[], begun: number, ended: number): Span | undefined {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle]!.endedAt <= ended) low = middle + 1;
    else high = middle;
  }
  while (low > 0 && spans[low - 1]!.started.at >= begun) low--;
  return spans[low - 1];
}
