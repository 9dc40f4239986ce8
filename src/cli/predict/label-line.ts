import type {Paint} from '../../report/paint.ts';
import {padEnd, printable, textWidth} from '../../report/text-width.ts';
import type {Label} from './labelling.ts';

/** What the widths of the columns follow from. */
export interface LabelColumns {
  readonly names: readonly string[];
  readonly classes: readonly string[];
}

/** A longer name or class is printed whole, and what follows it is moved. */
const widest = {name: 48, label: 24};

/** A recording's name with its best classes and their scores, or with the reason why it has none. Without a newline. */
export function labelLine(name: string, label: Label, columns: LabelColumns, paint: Paint): string {
  const shown = oneLine(name);
  if ('reason' in label) return `${paint.bad('error:')} ${paint.bold(shown)}: ${oneLine(label.reason)}`;
  const nameWidth = widthOf(columns.names, widest.name);
  const labelWidth = widthOf(columns.classes, widest.label);
  const scores = label.top.map(({class: title, score}, i) => {
    const text = padEnd(oneLine(title), labelWidth);
    return `${i === 0 ? paint.bold(text) : text} ${paint.dim(score.toFixed(3))}`;
  });
  return [padEnd(shown, nameWidth), ...scores, ...(label.silent ? [paint.warn('silent')] : [])].join('  ');
}

function widthOf(texts: readonly string[], most: number): number {
  return texts.reduce((width, text) => Math.min(most, Math.max(width, textWidth(oneLine(text)))), 0);
}

function oneLine(text: string): string {
  return printable(text).replaceAll(/\s*\n\s*/g, ' ');
}
