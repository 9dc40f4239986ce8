import {count} from '../problems.ts';
import type {PublishedP} from './published.ts';
import type {Cell, Table} from './table.ts';

/** p-values of the paired t-test of two variants; undefined where the test is not. */
export interface PairP {
  readonly a: string;
  readonly b: string;
  readonly p: number | undefined;
  /** Corrected for the number of pairs. */
  readonly corrected: number | undefined;
}

export interface PairMatrixOptions {
  readonly title: string;
  /** Of the score of the classes that is tested, as people write it. */
  readonly scoreName: string;
  readonly sides: 1 | 2;
  readonly level: number;
  /** One-sided p-values of another work. */
  readonly published?: (a: string, b: string) => PublishedP | undefined;
}

/** Above the diagonal of all pairs: a row for each variant but the last, a column for each but the first. */
export function pairMatrix(variants: readonly string[], pairs: readonly PairP[], options: PairMatrixOptions): Table {
  const {title, scoreName, sides, level, published} = options;
  const find = (a: string, b: string): PairP | undefined =>
    pairs.find((pair) => (pair.a === a && pair.b === b) || (pair.a === b && pair.b === a));
  const columns = variants.slice(1);
  const cell = (a: string, b: string): Cell => {
    const own = find(a, b);
    const theirs = published?.(a, b);
    const texts = [
      ...(own === undefined ? [] : [pText(own, level)]),
      ...(theirs === undefined ? [] : [`(${publishedText(theirs, level)})`]),
    ];
    return {text: texts.join(' '), marked: own?.p !== undefined && own.p < level};
  };
  const isPublished = variants.some((a, i) => variants.slice(i + 1).some((b) => published?.(a, b) !== undefined));
  return {
    title,
    head: ['', ...columns],
    rows: variants
      .slice(0, -1)
      .map((a, row) => [{text: a}, ...columns.map((b, i): Cell => (i < row ? {text: ''} : cell(a, b)))]),
    notes: [
      [
        `p-values of paired t-tests over the ${scoreName} of the classes, ${sides === 1 ? 'one-sided, P(T > |t|)' : 'two-sided'}. ` +
          `One star: below ${level}; two: also when the ${count(pairs.length, 'pair')} are corrected for (Holm).`,
      ],
      ...(pairs.some(({p}) => p === undefined)
        ? [['-: not defined, as the two differ in no class, or by the same everywhere.']]
        : []),
      ...(isPublished ? [['In brackets: published, one-sided.']] : []),
    ],
  };
}

function pText({p, corrected}: PairP, level: number): string {
  if (p === undefined) return '-';
  const stars = corrected !== undefined && corrected < level ? '**' : p < level ? '*' : '';
  return `${p < 0.0005 ? '<0.001' : p.toFixed(3)}${stars}`;
}

function publishedText(p: PublishedP, level: number): string {
  if (p === 'different') return '<0.05';
  return p === 'similar' ? p : `${p.toFixed(3)}${p < level ? '*' : ''}`;
}
