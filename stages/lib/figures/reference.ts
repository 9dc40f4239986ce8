import {didYouMean, StageError} from 'mixdown/stage';
import {readCsvTable, type CsvRow} from '../formats/csv.ts';
import {gatherProblems, type Problems} from '../problems.ts';
import type {ReferenceRow} from './published.ts';
import {SCORES, type Score} from './scores.ts';

/** Figures by variant, looked up by any of a variant's spellings. */
export interface Reference {
  /** Undefined where the reference has none. */
  find(variant: string, score: Score): number | undefined;
  /** Whether any variant has this score. */
  has(score: Score): boolean;
  /** Names of the variants, in order, that are none of `variants`. */
  others(variants: readonly string[]): readonly string[];
}

/**
 * Reads a csv table of variant, metric (a name of SCORES) and value. Throws StageError with the lines of unknown metrics,
 * values that are no finite numbers, and figures given twice.
 */
export function readReference(path: string, name = 'the reference'): readonly ReferenceRow[] {
  const problems = gatherProblems(name);
  const lines = new Map<string, number>();
  const rows = readCsvTable(path, ['variant', 'metric', 'value'], name).rows.flatMap((row) => {
    const read = readRow(row, name, problems);
    if (read === undefined) return [];
    const place = `${read.score} ${variantKey(read.variant)}`;
    const before = lines.get(place);
    if (before !== undefined) {
      problems.add(`${name}, line ${row.line}: ${read.score} of \`${read.variant}\` stands on line ${before} already`);
    }
    lines.set(place, row.line);
    return [read];
  });
  problems.check();
  if (rows.length === 0) throw new StageError(`${name} has no rows`);
  return rows;
}

function readRow({line, record}: CsvRow, name: string, problems: Problems): ReferenceRow | undefined {
  const {variant = '', metric = '', value = ''} = record;
  const number = value.trim() === '' ? Number.NaN : Number(value);
  const score = SCORES.find((known) => known === metric);
  const wrong = (text: string, hint?: string): void => problems.add(`${name}, line ${line}: ${text}`, hint);
  if (variant === '') wrong('the variant has no name');
  if (score === undefined) {
    wrong(`unknown metric \`${metric}\``, didYouMean(metric, SCORES) ?? `known are ${SCORES.join(', ')}`);
  }
  if (!Number.isFinite(number)) wrong(`the value is \`${value}\`; a number is needed`);
  return variant === '' || score === undefined || !Number.isFinite(number)
    ? undefined
    : {variant, score, value: number};
}

export function makeReference(rows: readonly ReferenceRow[]): Reference {
  const values = new Map<string, number>();
  const names = new Map<string, string>();
  for (const {variant, score, value} of rows) {
    const key = variantKey(variant);
    names.set(key, variant);
    for (const spelling of spellings(key)) values.set(`${score} ${spelling}`, value);
  }
  return {
    find: (variant, score) => values.get(`${score} ${variantKey(variant)}`),
    has: (score) => rows.some((row) => row.score === score),
    others(variants) {
      const own = new Set(variants.map(variantKey));
      return [...names]
        .filter(([key]) => !spellings(key).some((spelling) => own.has(spelling)))
        .map(([, name]) => name);
    },
  };
}

/** `Balanced First`, `balanced-first` and `BALANCED_FIRST` are one variant, and so are `h1+h3` and `level-13`. */
function variantKey(variant: string): string {
  const key = variant
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '-');
  return /^h\d(\+h\d)*$/.test(key) ? `level-${key.replaceAll(/\D/g, '')}` : key;
}

/** `f:-d-with-mixup-0.2` is known as `f` too. */
function spellings(key: string): readonly string[] {
  const colon = key.indexOf(':');
  return colon > 0 ? [key, key.slice(0, colon)] : [key];
}
