import type {VNode} from 'preact';
import {useMemo, useRef} from 'preact/hooks';
import type {PageSpan, PageTimeline} from '../../report/page-data.ts';
import {durationText} from '../../report/duration.ts';
import {nextSpan, type SpanPlace} from '../model/span-moves.ts';
import {timeTicks} from '../model/time-ticks.ts';
import {usePage} from './page-context.tsx';

interface LanesProps {
  readonly timeline: PageTimeline;
  /** 1: as wide as the frame. */
  readonly zoom: number;
  /** The pointer or the keyboard is at a span. */
  readonly onSpan: (span: PageSpan, lane: string) => void;
}

/** Lanes with their spans over one axis of time. One span is in the order of Tab; arrow keys move among them. */
export function TimelineLanes({timeline, zoom, onSpan}: LanesProps): VNode {
  const {go} = usePage();
  const frame = useRef<HTMLDivElement>(null);
  const {lanes} = timeline;
  // The same tree as long as the run is the same: ten thousand spans are drawn once.
  const tracks = useMemo(() => <Tracks timeline={timeline} />, [timeline]);
  const tellOf = (event: Event): void => {
    const {lane, at} = placeOf(event.target) ?? {lane: -1, at: -1};
    const span = lanes[lane]?.spans[at];
    if (span !== undefined) onSpan(span, lanes[lane]?.name ?? '');
  };
  const open = (event: Event): void => {
    const place = placeOf(event.target);
    const span = place === undefined ? undefined : lanes[place.lane]?.spans[place.at];
    if (span !== undefined) go({node: span.node});
  };
  const move = (event: KeyboardEvent): void => {
    const place = placeOf(event.target);
    const next = place === undefined ? undefined : nextSpan(lanes, place, event.key);
    const from = event.target;
    if (next === undefined || !(from instanceof HTMLElement)) return;
    const to = frame.current?.querySelector<HTMLElement>(`[data-lane="${next.lane}"][data-at="${next.at}"]`);
    if (to === null || to === undefined) return;
    event.preventDefault();
    from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  };
  return (
    <div class="timeline-frame" ref={frame} onPointerOver={tellOf} onFocusIn={tellOf} onClick={open} onKeyDown={move}>
      <div class="timeline-space" style={{width: `${100 * zoom}%`}}>
        {tracks}
      </div>
    </div>
  );
}

function placeOf(target: EventTarget | null): SpanPlace | undefined {
  if (!(target instanceof HTMLElement)) return undefined;
  const {lane, at} = target.dataset;
  return lane === undefined || at === undefined ? undefined : {lane: Number(lane), at: Number(at)};
}

function Tracks({timeline: {lanes, endMs, criticalPath}}: {readonly timeline: PageTimeline}): VNode {
  const critical = new Set(criticalPath);
  const first = lanes.findIndex(({spans}) => spans.length > 0);
  // A tick's words stand to the right of it: the end of the axis has no room for them.
  const ticks = timeTicks(endMs, 6).filter((tick) => tick <= 0.9 * endMs);
  const share = (ms: number): string => `${(100 * ms) / Math.max(endMs, 1)}%`;
  return (
    <>
      <div class="time-axis" aria-hidden="true">
        {ticks.map((tick) => (
          <span key={tick} style={{left: share(tick)}}>
            {tick === 0 ? '0' : durationText(tick)}
          </span>
        ))}
      </div>
      {lanes.map(({name, spans}, lane) => (
        <div key={name} class="lane" role="group" aria-label={name}>
          <span class="lane-name">{name}</span>
          <div class="track">
            {spans.map((span, at) => (
              <button
                key={at}
                type="button"
                class={`span span-${span.outcome}${critical.has(span.node) ? ' critical' : ''}`}
                style={{left: share(span.fromMs), width: share(span.toMs - span.fromMs)}}
                tabIndex={lane === first && at === 0 ? 0 : -1}
                data-lane={lane}
                data-at={at}
                aria-label={`${span.node}, ${durationText(span.toMs - span.fromMs)}`}
              />
            ))}
          </div>
        </div>
      ))}
    </>
  );
}
