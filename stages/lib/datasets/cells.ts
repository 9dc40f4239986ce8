import type {CsvRow} from '../formats/csv.ts';
import type {Problems} from '../problems.ts';
import type {LabelsTable, Place} from './layout.ts';

/** The cells of one row. What is wrong with one goes to the problems, and a stand-in is returned. */
export interface Cells {
  readonly place: Place;
  /** Text that must not be empty. */
  text(column: string): string;
  /** Text; empty when there is no such column. */
  optional(column: string | undefined): string;
  /** One of the listed words. */
  oneOf<T extends string>(column: string, words: readonly T[]): T | undefined;
  /** 0, 1, true, false, in any case. */
  flag(column: string): boolean;
  wholeNumber(column: string, least: number): number | undefined;
  /**
   * A fold from 1; 0 for a test clip, where folds count from 1; undefined for an empty cell or none. Folds that count from 0
   * leave no number for test clips.
   */
  fold(column: string, firstFold: number): number | undefined;
  wrong(column: string, wanted: string): void;
}

export function cellsOf({name}: LabelsTable, {line, record}: CsvRow, problems: Problems): Cells {
  const wrong = (column: string, wanted: string): void =>
    problems.add(`${name}, line ${line}: ${column} is \`${record[column]}\`; ${wanted} is needed`);
  const wholeNumber = (column: string, least: number): number | undefined => {
    const text = record[column] ?? '';
    const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (number >= least) return number;
    wrong(column, `a whole number from ${least}`);
    return undefined;
  };
  return {
    place: {table: name, line},
    wrong,
    text(column) {
      const text = record[column] ?? '';
      if (text === '') problems.add(`${name}, line ${line}: ${column} is empty`);
      return text;
    },
    optional: (column) => (column === undefined ? '' : (record[column] ?? '')),
    oneOf(column, words) {
      const found = words.find((word) => word === record[column]);
      if (found === undefined) wrong(column, listed(words));
      return found;
    },
    flag(column) {
      const text = (record[column] ?? '').toLowerCase();
      if (!/^(0|1|true|false)$/.test(text)) wrong(column, '0 or 1');
      return text === '1' || text === 'true';
    },
    wholeNumber,
    fold(column, firstFold) {
      if ((record[column] ?? '') === '') return undefined;
      const number = wholeNumber(column, 0);
      return number === undefined ? undefined : number + 1 - firstFold;
    },
  };
}

function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
