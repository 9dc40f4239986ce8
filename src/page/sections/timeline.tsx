import type {VNode} from 'preact';
import {useRef, useState} from 'preact/hooks';
import type {PageSpan} from '../../report/page-data.ts';
import {countText} from '../../report/count-text.ts';
import {durationText} from '../../report/duration.ts';
import {CriticalPath} from '../components/critical-path.tsx';
import {usePage} from '../components/page-context.tsx';
import {Section} from '../components/section.tsx';
import {TimelineLanes} from '../components/timeline-lanes.tsx';
import {ZoomBar} from '../components/zoom-bar.tsx';

/** When what ran where, and what decided the end of the run. */
export function TimelineSection(): VNode {
  const {index} = usePage();
  const {timeline} = index.data;
  const [zoom, setZoom] = useState(1);
  const details = useRef<HTMLParagraphElement>(null);
  const spans = timeline.lanes.reduce((count, lane) => count + lane.spans.length, 0);
  const tell = useRef((span: PageSpan, lane: string) => details.current?.replaceChildren(spanText(span, lane)));
  if (spans === 0) {
    return (
      <Section name="timeline">
        <p>Nothing ran: all results were there.</p>
      </Section>
    );
  }
  return (
    <Section
      name="timeline"
      about={`${countText(spans, 'span')} of work on ${countText(timeline.lanes.length, 'lane')} in ${durationText(timeline.endMs)}. Arrow keys go from span to span, Enter opens the node.`}
    >
      <ul class="legend">
        <li>
          <span class="swatch span-executed" aria-hidden="true" /> work
        </li>
        <li>
          <span class="swatch span-executed critical" aria-hidden="true" /> on the critical path
        </li>
        <li>
          <span class="swatch span-failed" aria-hidden="true" /> failed
        </li>
      </ul>
      <ZoomBar zoom={zoom} least={1} most={32} onZoom={setZoom} onFit={() => setZoom(1)} />
      <TimelineLanes timeline={timeline} zoom={zoom} onSpan={tell.current} />
      <p class="span-details" role="status" ref={details}>
        Point at a span to see what it is.
      </p>
      <CriticalPath timeline={timeline} />
    </Section>
  );
}

function spanText({node, slices, fromMs, toMs, outcome}: PageSpan, lane: string): string {
  const work = slices === undefined ? '' : `, ${countText(slices, 'slice')}`;
  return `${node}${work}: ${outcome} on ${lane}, ${durationText(toMs - fromMs)}, from ${durationText(fromMs)} to ${durationText(toMs)}`;
}
