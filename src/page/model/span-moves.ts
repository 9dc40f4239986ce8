import type {PageTimeline} from '../../report/page-data.ts';

/** A span by its lane and its place in it. */
export interface SpanPlace {
  readonly lane: number;
  readonly at: number;
}

/** Where an arrow key leads from a span: to its neighbours in time, or to the span of another lane at the same time. */
export function nextSpan(lanes: PageTimeline['lanes'], {lane, at}: SpanPlace, key: string): SpanPlace | undefined {
  const count = lanes[lane]?.spans.length ?? 0;
  switch (key) {
    case 'ArrowLeft':
      return at > 0 ? {lane, at: at - 1} : undefined;
    case 'ArrowRight':
      return at < count - 1 ? {lane, at: at + 1} : undefined;
    case 'Home':
      return {lane, at: 0};
    case 'End':
      return {lane, at: count - 1};
    case 'ArrowUp':
      return inLane(lanes, {lane, at}, -1);
    case 'ArrowDown':
      return inLane(lanes, {lane, at}, 1);
    default:
      return undefined;
  }
}

/** The span nearest in time in the next lane, in a direction, that has any. */
function inLane(lanes: PageTimeline['lanes'], {lane, at}: SpanPlace, step: 1 | -1): SpanPlace | undefined {
  const from = lanes[lane]?.spans[at]?.fromMs ?? 0;
  for (let next = lane + step; next >= 0 && next < lanes.length; next += step) {
    const spans = lanes[next]?.spans ?? [];
    if (spans.length === 0) continue;
    const distances = spans.map(({fromMs}) => Math.abs(fromMs - from));
    const nearest = distances.reduce((best, distance) => Math.min(best, distance), Infinity);
    return {lane: next, at: distances.indexOf(nearest)};
  }
  return undefined;
}
