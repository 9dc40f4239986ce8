import {didYouMean, StageError} from 'mixdown/stage';
import {readCsvTable, type CsvRow} from '../formats/csv.ts';
import {gatherProblems, type Problems} from '../problems.ts';
import type {Published, PublishedP, PublishedPair, PublishedVariant} from './published.ts';
import {SCORES, type Score} from './scores.ts';

/** Figures of another work, looked up by any of a variant's names. */
export interface Reference extends Published {
  /** Undefined where the reference does not have the variant. */
  find(this: void, variant: string): PublishedVariant | undefined;
  /** Whether any variant has this score. */
  has(this: void, score: Score): boolean;
  /** In either order of the two. */
  pair(this: void, a: string, b: string): PublishedP | undefined;
}

/**
 * Reads a csv table of variant, metric (a name of SCORES) and value. Throws StageError with the lines of unknown metrics,
 * values that are no finite numbers, and figures given twice.
 */
export function readReference(path: string, name = 'the reference'): Published {
  const problems = gatherProblems(name);
  const lines = new Map<string, number>();
  const variants = new Map<string, PublishedVariant>();
  for (const row of readCsvTable(path, ['variant', 'metric', 'value'], name).rows) {
    const read = readRow(row, name, problems);
    if (read === undefined) continue;
    const key = variantKey(read.variant);
    const place = `${read.score} ${key}`;
    const before = lines.get(place);
    if (before !== undefined) {
      problems.add(`${name}, line ${row.line}: ${read.score} of \`${read.variant}\` stands on line ${before} already`);
    }
    lines.set(place, row.line);
    const own = variants.get(key) ?? {variant: read.variant, scores: {}};
    variants.set(key, {...own, scores: {...own.scores, [read.score]: read.value}});
  }
  problems.check();
  if (variants.size === 0) throw new StageError(`${name} has no rows`);
  return {variants: [...variants.values()], pairs: [], notes: []};
}

function readRow(
  {line, record}: CsvRow,
  name: string,
  problems: Problems,
): {readonly variant: string; readonly score: Score; readonly value: number} | undefined {
  const {variant = '', metric = '', value = ''} = record;
  const number = value.trim() === '' ? Number.NaN : Number(value);
  const score = SCORES.find((known) => known === metric);
  const wrong = (text: string, hint?: string): void => problems.add(`${name}, line ${line}: ${text}`, hint);
  if (variant.trim() === '') wrong('the variant has no name');
  if (score === undefined) {
    wrong(`unknown metric \`${metric}\``, didYouMean(metric, SCORES) ?? `known are ${SCORES.join(', ')}`);
  }
  if (!Number.isFinite(number)) wrong(`the value is \`${value}\`; a number is needed`);
  return variant.trim() === '' || score === undefined || !Number.isFinite(number)
    ? undefined
    : {variant: variant.trim(), score, value: number};
}

/**
 * `names` says for variants of ours which one of the reference they are, where their names do not tell. Throws StageError for
 * one that the reference does not have.
 */
export function makeReference(published: Published, names: ReadonlyMap<string, string> = new Map()): Reference {
  const byKey = new Map<string, PublishedVariant>();
  for (const own of published.variants) {
    for (const name of [own.variant, ...(own.names ?? [])]) byKey.set(variantKey(name), own);
  }
  for (const [ours, theirs] of names) {
    const own = byKey.get(variantKey(theirs));
    if (own === undefined) {
      const known = published.variants.map(({variant}) => variant);
      throw new StageError(
        `names: \`${ours}\` is said to be \`${theirs}\`, which the reference does not have`,
        didYouMean(theirs, known) ?? `it has ${known.join(', ')}`,
      );
    }
    byKey.set(variantKey(ours), own);
  }
  const find = (variant: string): PublishedVariant | undefined => byKey.get(variantKey(variant));
  const pairs = new Map<string, PublishedP>(
    published.pairs.flatMap((pair: PublishedPair) => {
      const [a, b] = [find(pair.a)?.variant, find(pair.b)?.variant];
      return [
        [`${a}\n${b}`, pair.p],
        [`${b}\n${a}`, pair.p],
      ];
    }),
  );
  return {
    ...published,
    find,
    has: (score) => published.variants.some(({scores}) => scores[score] !== undefined),
    pair: (a, b) => pairs.get(`${find(a)?.variant}\n${find(b)?.variant}`),
  };
}

/** `Balanced First`, `balanced-first` and `BALANCED_FIRST` are one variant, and so are `h1+h3` and `level-13`. */
export function variantKey(variant: string): string {
  const key = variant
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '-');
  return key.replace(/(^|-)h\d(\+h\d)*$/, (levels, dash: string) => `${dash}level-${levels.replaceAll(/\D/g, '')}`);
}
