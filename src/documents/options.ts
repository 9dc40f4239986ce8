import {didYouMean} from '../core/closest.ts';
import type {Fault, Word} from './words.ts';

/** What an option of a directive takes. */
export type OptionKind =
  | {readonly takes: 'nothing'}
  | {readonly takes: 'text'}
  /** May be repeated. */
  | {readonly takes: 'texts'}
  /** May be repeated, and hold several with commas between. */
  | {readonly takes: 'list'}
  | {readonly takes: 'digits'}
  | {readonly takes: 'choice'; readonly choices: readonly string[]};

export interface ReadOptions {
  /** Words that belong to no option. */
  readonly operands: readonly Word[];
  /** Values of the options that are there, by name. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly faults: readonly Fault[];
}

const mostDigits = 20;

/**
 * Takes options out of words: `--name value`, `--name=value` and `name=value`. The last form is there because `--` within a
 * comment inside a line makes some Markdown readers, GitHub's among them, show the comment as text.
 */
export function readOptions(words: readonly Word[], known: Readonly<Record<string, OptionKind>>): ReadOptions {
  const operands: Word[] = [];
  const values = new Map<string, readonly string[]>();
  const faults: Fault[] = [];
  const rest = words.values();
  for (const word of rest) {
    const [, dashes = '', name = '', inline] = /^(--)?([A-Za-z-]+)(?:=([^]*))?$/.exec(word.text) ?? [];
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (dashes === '' && (kind === undefined || inline === undefined)) {
      operands.push(word);
      continue;
    }
    if (kind === undefined) {
      const hint = didYouMean(
        `--${name}`,
        Object.keys(known).map((each) => `--${each}`),
      );
      faults.push({...placeOf(word), message: `there is no option \`--${name}\` here`, ...hintOf(hint)});
      continue;
    }
    const problem = (message: string): void => void faults.push({...placeOf(word), message});
    if (kind.takes === 'nothing') {
      if (inline === undefined) values.set(name, []);
      else problem(`\`--${name}\` takes no value`);
      continue;
    }
    const value = inline ?? rest.next().value?.text;
    if (value === undefined) {
      problem(`\`--${name}\` has no value`);
      continue;
    }
    const wrong = valueProblem(name, value, kind);
    if (wrong !== undefined) {
      problem(wrong);
      continue;
    }
    const before = values.get(name);
    if (before !== undefined && kind.takes !== 'texts' && kind.takes !== 'list')
      problem(`\`--${name}\` is given twice`);
    const parts = kind.takes === 'list' ? value.split(',').map((part) => part.trim()) : [value];
    values.set(name, [...(before ?? []), ...parts]);
  }
  return {operands, values, faults};
}

function valueProblem(name: string, value: string, kind: OptionKind): string | undefined {
  if (kind.takes === 'digits') {
    return /^\d{1,2}$/.test(value) && Number(value) <= mostDigits
      ? undefined
      : `\`--${name}\` takes a whole number, 0 ... ${mostDigits}, not \`${value}\``;
  }
  if (kind.takes === 'choice' && !kind.choices.includes(value)) {
    return `\`--${name}\` takes ${kind.choices.join(', ')}, not \`${value}\``;
  }
  return undefined;
}

function placeOf({start, end}: Word): Pick<Word, 'start' | 'end'> {
  return {start, end};
}

function hintOf(hint: string | undefined): {readonly hint?: string} {
  return hint === undefined ? {} : {hint};
}
