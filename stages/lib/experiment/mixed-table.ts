import {StageError} from 'mixdown/stage';
import {readCsvTable, writeCsv} from '../formats/csv.ts';
import type {PieceRow} from './piece-rows.ts';
import {trainingRow} from './training-rows.ts';

/** A training example: `share` of row `first` and the rest of row `second`, in values and targets. */
export interface Example {
  readonly first: number;
  readonly second: number;
  /** Above 0; 1 for an example that is not mixed. */
  readonly share: number;
}

/** Writes the shares as the shortest text that reads back as the same float64. */
export function writeMixed(path: string, examples: readonly Example[]): void {
  writeCsv(
    path,
    COLUMNS,
    examples.map(({first, second, share}) => [first, second, share]),
  );
}

/** Reads what `writeMixed` writes. Throws StageError when one of a pair is not a training row of `fold`. */
export function readMixed(path: string, rows: readonly PieceRow[], fold: number): readonly Example[] {
  return readCsvTable(path, COLUMNS, NAME).rows.map(({line, record}): Example => {
    const row = (column: 'first' | 'second'): number =>
      trainingRow(record[column] ?? '', rows, fold, `${NAME}, line ${line}, ${column}`).row;
    const text = record['share'] ?? '';
    const share = /^\d+(\.\d+)?(e[+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(share > 0 && share < 1)) {
      throw new StageError(`${NAME}, line ${line}: share is \`${text}\`; a number between 0 and 1 is needed`);
    }
    return {first: row('first'), second: row('second'), share};
  });
}

const NAME = 'the table of mixed pairs';
const COLUMNS = ['first', 'second', 'share'] as const;
