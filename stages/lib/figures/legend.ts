import {element, label, tooltip, type Markup} from './svg.ts';
import {shorten, textWidth} from './text-width.ts';
import {seriesClass} from './theme.ts';

export interface Legend {
  /** Pixels that it takes. */
  readonly height: number;
  readonly content: readonly Markup[];
}

/** Names of series in rows of `width` pixels from (x, y), each behind a piece of its line or bar. One series has no legend. */
export function makeLegend(
  names: readonly string[],
  kind: 'line' | 'bar',
  x: number,
  y: number,
  width: number,
): Legend {
  if (names.length < 2) return {height: 0, content: []};
  const shorts = names.map((name) => shorten(name, Math.min(LONGEST, width - SWATCH - GAP)));
  const pitch = Math.ceil(Math.max(...shorts.map((short) => textWidth(short)))) + SWATCH + GAP;
  const columns = Math.max(1, Math.floor((width + GAP) / pitch));
  const content = names.flatMap((name, i) => {
    const short = shorts[i] ?? '';
    const [left, middle] = [x + (i % columns) * pitch, y + (Math.floor(i / columns) + 0.5) * ROW];
    const swatch =
      kind === 'line'
        ? element('path', {class: `line ${seriesClass(i)}`, d: `M${left} ${middle}h18`})
        : element('rect', {class: `bar ${seriesClass(i)}`, x: left, y: middle - 5, width: 18, height: 10});
    const shown = label(left + SWATCH, middle + 4, short);
    return [swatch, short === name ? shown : element('g', {}, [tooltip(name), shown])];
  });
  return {height: Math.ceil(names.length / columns) * ROW + 8, content};
}

const SWATCH = 24;
const GAP = 18;
const ROW = 20;
const LONGEST = 240;
