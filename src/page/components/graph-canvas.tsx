import type {VNode} from 'preact';
import {useLayoutEffect, useRef, useState} from 'preact/hooks';
import {isSource, type GraphBox, type GraphLayout} from '../model/graph-layout.ts';
import {worstOutcome} from '../model/outcome-words.ts';
import {useDragScroll} from './drag-scroll.tsx';
import {GroupOutcomes} from './group-outcomes.tsx';
import {usePage} from './page-context.tsx';
import {ZoomBar} from './zoom-bar.tsx';

/** The graph as boxes over lines. It scrolls in its frame: by bars, arrow keys, and by dragging. */
export function GraphCanvas({layout}: {readonly layout: GraphLayout}): VNode {
  const [zoom, setZoom] = useState(1);
  const [near, setNear] = useState<string>();
  const frame = useRef<HTMLDivElement>(null);
  useDragScroll(frame);
  const {width, height, boxes, lines} = layout;
  // A drawing that is wider than its frame starts smaller, but not too small to read.
  useLayoutEffect(() => setZoom(Math.max(0.7, fitting(frame.current, width))), [layout]);
  const fit = (): void => setZoom(fitting(frame.current, width));
  return (
    <div class="graph">
      <ZoomBar zoom={zoom} least={0.25} most={2} onZoom={setZoom} onFit={fit} />
      <div class="graph-frame" ref={frame} role="region" aria-label="Graph of the nodes" tabIndex={0}>
        <div class="graph-space" style={{width: px(width * zoom), height: px(height * zoom)}}>
          <div class="graph-drawing" style={{width: px(width), height: px(height), transform: `scale(${zoom})`}}>
            <svg width={width} height={height} aria-hidden="true">
              <defs>
                <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
                  <path class="graph-arrow" d="M0 0L8 4L0 8z" />
                </marker>
              </defs>
              {lines.map(({from, to, path}) => (
                <path
                  key={`${from} ${to}`}
                  class={near === from || near === to ? 'graph-line near' : 'graph-line'}
                  d={path}
                  marker-end="url(#arrow)"
                />
              ))}
            </svg>
            {boxes.map((box) => (
              <BoxView key={box.key} box={box} onNear={setNear} />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

interface BoxProps {
  readonly box: GraphBox;
  readonly onNear: (key: string | undefined) => void;
}

function BoxView({box: {key, left, top, width, height}, onNear}: BoxProps): VNode {
  const {index, go} = usePage();
  const place = {left: px(left), top: px(top), width: px(width), height: px(height)};
  const group = index.groups.get(key);
  if (group === undefined) {
    const name = isSource(key) ? key.slice('source:'.length) : key;
    return (
      <div class="graph-box graph-source" style={place} title={index.sources.get(name)?.path ?? name}>
        <span class="graph-name">{name}</span>
        <span class="quiet">source</span>
      </div>
    );
  }
  const outcome = worstOutcome(group.nodes.flatMap((id) => index.nodes.get(id) ?? []));
  return (
    <button
      type="button"
      class={`graph-box edge-${outcome}`}
      style={place}
      onClick={() => go({group: key})}
      onFocus={() => onNear(key)}
      onBlur={() => onNear(undefined)}
      onPointerEnter={() => onNear(key)}
      onPointerLeave={() => onNear(undefined)}
    >
      <span class="graph-name">
        {group.name}
        {group.nodes.length > 1 && <span class="graph-count"> ×{group.nodes.length}</span>}
      </span>
      <GroupOutcomes group={group} />
    </button>
  );
}

/** The zoom at which a drawing is as wide as its frame, and not larger than life. */
function fitting(frame: HTMLElement | null, width: number): number {
  if (frame === null || width === 0) return 1;
  return Math.min(1, Math.max(0.25, frame.clientWidth / width));
}

function px(length: number): string {
  return `${length}px`;
}
