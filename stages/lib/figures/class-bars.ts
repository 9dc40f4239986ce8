import {didYouMean, StageError} from 'mixdown/stage';
import {classMeans, type VariantReports} from '../learning/repeats.ts';
import type {ClassScore} from '../learning/report.ts';
import type {Rng} from '../rng.ts';
import {makeLegend} from './legend.ts';
import {encodeSvg, HEADING_HEIGHT, MARGIN} from './picture.ts';
import {makeScale, type Scale} from './scale.ts';
import {decimal, element, label, tooltip, type Markup} from './svg.ts';
import {shorten, textWidth} from './text-width.ts';
import {seriesClass} from './theme.ts';

export interface ClassBarsOptions {
  readonly score: ClassScore;
  /** The classes to show; all where it is empty and `most` is 0. */
  readonly classes: readonly string[];
  /** Adds classes that `rng` chooses, until there are so many. */
  readonly most: number;
  readonly rng: Rng;
  /** `score`: the first variant's best class comes first; `label`: as in `classes`, or in the report. */
  readonly order: 'label' | 'score';
}

/** The names of the scores in titles. */
export const CLASS_SCORES: {readonly [S in ClassScore]: string} = {
  ap: 'Average precision',
  ap3: 'AP@3',
  auc: 'Area under the ROC curve',
};

/**
 * A group of bars for each class, in it a bar for each variant: the mean over its repeats. At least one variant, all of the
 * same classes.
 */
export function drawClassBars(title: string, own: readonly VariantReports[], options: ClassBarsOptions): string {
  const {score} = options;
  const rows = rowsOf(own, options);
  const variants = own.map(({variant}) => variant);
  const labels = rows.map((row) => shorten(row.label, LABEL));
  const left = MARGIN + Math.ceil(Math.max(40, ...labels.map((text) => textWidth(text)))) + 10;
  const right = left + PLOT;
  const width = right + 44 + MARGIN;
  const legend = makeLegend(variants, 'bar', MARGIN, HEADING_HEIGHT - 4, width - 2 * MARGIN);
  const thick = variants.length === 1 ? 12 : variants.length < 4 ? 7 : 5;
  const pitch = Math.max(18, variants.length * thick + 8);
  const top = HEADING_HEIGHT + legend.height + 20;
  const bottom = top + rows.length * pitch;
  const across = makeScale({low: 0, high: 1}, [left, right], 5);
  const bars = rows.flatMap((row, i) =>
    drawRow(row, variants, labels[i] ?? '', {across, thick, pitch, top: top + i * pitch}),
  );
  const axis = across.ticks.flatMap(({value, text}) => [
    element('path', {class: value === 0 ? 'axis' : 'grid', d: `M${decimal(across.at(value))} ${top}V${bottom}`}),
    label(across.at(value), top - 6, text, {class: 'muted middle'}),
    label(across.at(value), bottom + 16, text, {class: 'muted middle'}),
  ]);
  const empty = rows.length === 0 ? [label(left + 8, top + 14, 'no classes', {class: 'muted'})] : [];
  return encodeSvg({
    width,
    height: bottom + 24 + MARGIN + (rows.length === 0 ? 20 : 0),
    title,
    description: `${CLASS_SCORES[score]} of ${rows.length} classes from 0 to 1, for ${variants.join(', ')}.`,
    content: [...legend.content, ...axis, ...bars, ...empty],
  });
}

/** Widths in pixels of the longest label and of the span from 0 to 1. */
const LABEL = 220;
const PLOT = 520;

interface Row {
  readonly label: string;
  /** One of each variant; undefined where it is not defined. */
  readonly values: readonly (number | undefined)[];
}

function rowsOf(variants: readonly VariantReports[], options: ClassBarsOptions): readonly Row[] {
  const [first, ...others] = variants;
  if (first === undefined) throw new StageError('there are no reports to draw');
  const known = first.reports[0].perClass.map(({label}) => label);
  const tables = variants.map((own) => tableOf(own, options.score));
  for (const [i, other] of others.entries()) {
    const table = tables[i + 1];
    if (table?.size !== known.length || !known.every((own) => table.has(own))) {
      throw new StageError(`variant \`${other.variant}\` has other classes than \`${first.variant}\``);
    }
  }
  const rows = chooseClasses(known, options).map((own): Row => ({
    label: own,
    values: tables.map((table) => table.get(own)),
  }));
  if (options.order === 'label') return rows;
  return [...rows].sort((a, b) => (b.values[0] ?? -1) - (a.values[0] ?? -1));
}

/** Those that are named, in their order, then those that are drawn, in the order of the labels. */
function chooseClasses(known: readonly string[], {classes, most, rng}: ClassBarsOptions): readonly string[] {
  const unknown = classes.find((own) => !known.includes(own));
  if (unknown !== undefined) throw new StageError(`there is no class \`${unknown}\``, didYouMean(unknown, known));
  if (most === 0) return classes.length === 0 ? known : classes;
  const others = known.filter((own) => !classes.includes(own));
  const chosen = new Set(
    rng
      .fork('classes')
      .shuffle(others)
      .slice(0, Math.max(0, most - classes.length)),
  );
  return [...classes, ...others.filter((own) => chosen.has(own))];
}

function tableOf(own: VariantReports, score: ClassScore): ReadonlyMap<string, number | undefined> {
  const means = classMeans(own, score);
  return new Map(
    own.reports[0].perClass.map(({label: name}, c) => {
      const value = means[c] ?? undefined;
      if (value !== undefined && !(value >= 0 && value <= 1)) {
        throw new StageError(
          `${score} of class \`${name}\` is ${value} for variant \`${own.variant}\`, not in 0 ... 1`,
        );
      }
      return [name, value];
    }),
  );
}

interface Place {
  readonly across: Scale;
  readonly thick: number;
  readonly pitch: number;
  readonly top: number;
}

function drawRow(row: Row, variants: readonly string[], short: string, place: Place): readonly Markup[] {
  const {across, thick, pitch, top} = place;
  const left = across.at(0);
  const middle = top + pitch / 2;
  const name = label(left - 8, middle + 4, short, {class: 'end'});
  const bars = row.values.map((value, i) => {
    const y = middle + (i - variants.length / 2) * thick;
    if (value === undefined) {
      const stump = {class: 'axis', x: left, y: y + 1, width: 3, height: thick - 3};
      return element('rect', stump, [tooltip(`${row.label}, ${variants[i]}: not defined`)]);
    }
    const width = Math.max(1, across.at(value) - left);
    const bar = {class: `bar ${seriesClass(i)}`, x: left, y, width, height: thick - 1};
    return element('rect', bar, [tooltip(`${row.label}, ${variants[i]}: ${value.toFixed(3)}`)]);
  });
  const named = short === row.label ? name : element('g', {}, [tooltip(row.label), name]);
  if (row.values.every((value) => value === undefined)) {
    return [named, label(left + 5, middle + 4, 'not defined', {class: 'muted'})];
  }
  const [only, ...others] = row.values;
  if (only === undefined || others.length > 0) return [named, ...bars];
  return [named, ...bars, label(across.at(only) + 5, middle + 4, only.toFixed(2), {class: 'muted'})];
}
