import type {VNode} from 'preact';

interface ZoomBarProps {
  readonly zoom: number;
  readonly least: number;
  readonly most: number;
  readonly onZoom: (zoom: number) => void;
  readonly onFit: () => void;
}

/** Buttons that make a drawing larger and smaller. */
export function ZoomBar({zoom, least, most, onZoom, onFit}: ZoomBarProps): VNode {
  return (
    <div class="zoom-bar" role="group" aria-label="Zoom">
      <button type="button" class="button" disabled={zoom <= least} onClick={() => onZoom(Math.max(least, zoom / 1.5))}>
        <span aria-hidden="true">−</span>
        <span class="for-readers">Smaller</span>
      </button>
      <button type="button" class="button" disabled={zoom >= most} onClick={() => onZoom(Math.min(most, zoom * 1.5))}>
        <span aria-hidden="true">+</span>
        <span class="for-readers">Larger</span>
      </button>
      <button type="button" class="button" onClick={onFit}>
        Fit
      </button>
      <span class="quiet" role="status">
        {Math.round(zoom * 100)} %
      </span>
    </div>
  );
}
