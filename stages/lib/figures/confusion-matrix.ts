import type {Confusion} from './confusion.ts';
import {encodeSvg, HEADING_HEIGHT, MARGIN} from './picture.ts';
import {decimal, element, label, tooltip, type Markup} from './svg.ts';
import {shorten, textWidth} from './text-width.ts';

/**
 * A row for each true class, a column for each predicted one. A cell is the fuller the larger its share of the row, and says
 * its number of clips where there is room. At least one class.
 */
export function drawConfusion(title: string, {classes, counts}: Confusion): string {
  const size = classes.length;
  const side = Math.min(44, Math.max(20, Math.floor(400 / size)));
  const labels = classes.map((name) => shorten(name, LABEL));
  const room = Math.ceil(Math.max(60, ...labels.map((text) => textWidth(text)))) + 10;
  const left = MARGIN + 20 + room;
  const top = HEADING_HEIGHT + 20 + room;
  const totals = classes.map((_, own) => sumOf(counts.slice(own * size, (own + 1) * size)));
  const cells = counts.flatMap((clips, place): readonly Markup[] => {
    const [own, other] = [Math.floor(place / size), place % size];
    const x = left + other * side;
    const y = top + own * side;
    const of = totals[own] ?? 0;
    const tip = tooltip(`${classes[own]} taken for ${classes[other]}: ${clips} of ${of}`);
    return clips === 0 ? [] : [drawCell(x, y, side, clips, clips / of, tip)];
  });
  const end = size * side;
  const grid = Array.from(
    {length: size + 1},
    (_, i) => `M${left} ${top + i * side}h${end}M${left + i * side} ${top}v${end}`,
  );
  const own = classes.map((_, i) => `M${left + i * side} ${top + i * side}h${side}v${side}h${-side}z`);
  const clips = sumOf(totals);
  const hits = sumOf(classes.map((_, i) => counts[i * size + i] ?? 0));
  const width = left + Math.max(end, KEY_STEPS.length * KEY_STEP + 10 + Math.ceil(textWidth(KEY_TEXT))) + MARGIN;
  return encodeSvg({
    width,
    height: top + end + 20 + KEY + MARGIN,
    title,
    description: `${hits} of ${clips} clips have their highest score at their own class, of ${size}.`,
    content: [
      ...cells,
      element('path', {class: 'grid', d: grid.join('')}),
      element('path', {class: 'axis', d: own.join('')}),
      ...labels.flatMap((text, i) => nameClass(text, classes[i] ?? '', i, {left, top, side})),
      label(left, HEADING_HEIGHT + 8, 'predicted class', {class: 'muted'}),
      turned(MARGIN + 10, top, 'true class', {class: 'muted end'}),
      ...drawKey(left, top + end + 20),
    ],
  });
}

/** Width in pixels of the longest label, height of the key, and its parts. */
const LABEL = 200;
const KEY = 36;
const KEY_STEPS = [0, 0.25, 0.5, 0.75, 1];
const KEY_STEP = 44;
const KEY_TEXT = 'of the clips of the true class';

function drawCell(x: number, y: number, side: number, clips: number, share: number, tip: Markup): Markup {
  const opacity = opacityOf(share);
  const text = String(clips);
  const small = side < 30;
  const room = textWidth(text, small ? 9 : 12) <= side - 2;
  // Dark letters on a light cell, light ones on a full one.
  const style = ['middle', ...(small ? ['small'] : []), ...(opacity >= 0.7 ? ['on-cell'] : [])].join(' ');
  return element('g', {}, [
    tip,
    element('rect', {class: 'cell', x, y, width: side, height: side, 'fill-opacity': opacity}),
    ...(room ? [label(x + side / 2, y + side / 2 + (small ? 3 : 4), text, {class: style})] : []),
  ]);
}

/** One clip in many is seen too. */
function opacityOf(share: number): number {
  return 0.1 + 0.9 * share;
}

interface Corner {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

function nameClass(text: string, name: string, index: number, {left, top, side}: Corner): readonly Markup[] {
  const middle = (index + 0.5) * side + 4;
  const both = [label(left - 8, top + middle, text, {class: 'end'}), turned(left + middle, top - 8, text)];
  return text === name ? both : both.map((own) => element('g', {}, [tooltip(name), own]));
}

/** A line of text that goes upwards from (x, y). */
function turned(x: number, y: number, text: string, attributes: {readonly class?: string} = {}): Markup {
  return element('g', {transform: `translate(${decimal(x)} ${decimal(y)}) rotate(-90)`}, [
    label(0, 0, text, attributes),
  ]);
}

function drawKey(x: number, y: number): readonly Markup[] {
  return [
    ...KEY_STEPS.flatMap((share, i) => [
      element('rect', {
        class: 'cell',
        x: x + i * KEY_STEP,
        y,
        width: KEY_STEP,
        height: 12,
        'fill-opacity': opacityOf(share),
      }),
      label(x + (i + 0.5) * KEY_STEP, y + 26, share === 0 ? '> 0' : String(share), {class: 'muted middle'}),
    ]),
    label(x + KEY_STEPS.length * KEY_STEP + 10, y + 11, KEY_TEXT, {class: 'muted'}),
  ];
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
