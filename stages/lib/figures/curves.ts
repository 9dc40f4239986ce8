import {StageError} from 'mixdown/stage';
import {count} from '../problems.ts';
import type {Curve} from './curve-file.ts';
import {makeLegend} from './legend.ts';
import {encodeSvg, HEADING_HEIGHT, MARGIN} from './picture.ts';
import {makeScale, spanOf, type Scale} from './scale.ts';
import {decimal, element, label, tooltip, type Markup} from './svg.ts';
import {textWidth} from './text-width.ts';
import {seriesClass} from './theme.ts';

/**
 * One panel for each column that `columns` names, or for all of them but `epoch`, with a line for each curve; all panels count
 * along the same axis. At least one curve.
 */
export function drawCurves(title: string, curves: readonly Curve[], columns: readonly string[] = []): string {
  const unit = commonUnit(curves);
  const known = [...new Set(curves.flatMap((curve) => [...curve.columns.keys()]))];
  const unknown = columns.find((column) => !known.includes(column));
  if (unknown !== undefined) {
    throw new StageError(`no curve has the column \`${unknown}\``, `there are ${known.join(', ')}`);
  }
  // Where iterations are counted, the epoch is a count too.
  const shown = columns.length === 0 ? known.filter((column) => column !== 'epoch') : columns;
  const names = curves.map(({name}) => name);
  const legend = makeLegend(names, 'line', MARGIN, HEADING_HEIGHT - 4, WIDTH - 2 * MARGIN);
  const top = HEADING_HEIGHT + legend.height;
  const span = spanOf(curves.flatMap(({x}) => x)) ?? {low: 0, high: 1};
  const whole = curves.every(({x}) => x.every(Number.isInteger));
  const across = makeScale(span, [MARGIN + AXIS, WIDTH - MARGIN - 8], 10, {whole, nice: span.low === span.high});
  const panels = shown.flatMap((column, i) => drawPanel(column, curves, across, top + i * PANEL_PITCH));
  const bottom = top + shown.length * PANEL_PITCH;
  return encodeSvg({
    width: WIDTH,
    height: bottom + 14,
    title,
    description: `${shown.join(', ')} by ${unit} of ${count(curves.length, 'training')}: ${names.join(', ')}.`,
    content: [...legend.content, ...panels, label(WIDTH - MARGIN - 8, bottom, unit, {class: 'muted end'})],
  });
}

const WIDTH = 760;
/** Heights of a panel's plot, its name and both with the axis; width of what the ticks at the left take. */
const PANEL = 190;
const PANEL_HEAD = 30;
const PANEL_PITCH = PANEL_HEAD + PANEL + 36;
const AXIS = 52;

function commonUnit(curves: readonly Curve[]): string {
  const [first, ...others] = curves;
  if (first === undefined) throw new StageError('there are no curves to draw');
  const other = others.find(({unit}) => unit !== first.unit);
  if (other !== undefined) {
    throw new StageError(
      `the curve \`${first.name}\` counts by ${first.unit}, the curve \`${other.name}\` by ${other.unit}`,
      'draw them in figures of their own',
    );
  }
  return first.unit;
}

function drawPanel(column: string, curves: readonly Curve[], across: Scale, top: number): readonly Markup[] {
  const [left, right] = [MARGIN + AXIS, WIDTH - MARGIN - 8];
  const plotTop = top + PANEL_HEAD;
  const values = curves.flatMap((curve) => curve.columns.get(column) ?? []).filter((value) => value !== undefined);
  const heading = label(MARGIN, top + 12, column, {class: 'panel'});
  const span = spanOf(values);
  if (span === undefined) return [heading, label(left, plotTop + PANEL / 2, 'no values', {class: 'muted'})];
  const up = makeScale(span, [plotTop + PANEL, plotTop], 5);
  const rows = up.ticks.flatMap(({value, text}) => [
    element('path', {class: 'grid', d: `M${left} ${decimal(up.at(value))}H${right}`}),
    label(left - 8, up.at(value) + 4, text, {class: 'muted end'}),
  ]);
  const marks = across.ticks.flatMap(({value, text}) => [
    element('path', {class: 'axis', d: `M${decimal(across.at(value))} ${plotTop + PANEL}v4`}),
    label(Math.min(across.at(value), WIDTH - textWidth(text) / 2), plotTop + PANEL + 18, text, {class: 'muted middle'}),
  ]);
  const axis = element('path', {class: 'axis', d: `M${left} ${plotTop + PANEL}H${right}`});
  return [heading, ...rows, axis, ...marks, ...curves.flatMap((curve, i) => drawLine(curve, column, i, across, up))];
}

/** Broken where a value is missing; a point without neighbours is a dot. */
function drawLine(curve: Curve, column: string, index: number, across: Scale, up: Scale): readonly Markup[] {
  const values = curve.columns.get(column) ?? [];
  let path = '';
  const dots: Markup[] = [];
  for (const [i, value] of values.entries()) {
    if (value === undefined) continue;
    const place = [across.at(curve.x[i] as number), up.at(value)] as const;
    const goesOn = i > 0 && values[i - 1] !== undefined;
    const isJoined = goesOn || values[i + 1] !== undefined;
    if (isJoined) path += `${goesOn ? 'L' : 'M'}${place.map(decimal).join(' ')}`;
    if (!isJoined || curve.dots === true)
      dots.push(element('circle', {class: `dot ${seriesClass(index)}`, cx: place[0], cy: place[1], r: 3}));
  }
  const line = element('path', {class: `line ${seriesClass(index)}`, d: path}, [tooltip(curve.name)]);
  return path === '' ? dots : [line, ...dots];
}
