import {StageError} from 'mixdown/stage';
import {readCsvTable, writeCsv} from './csv.ts';

/** What row `row` of the features array is: piece `piece` of a clip. */
export interface PieceRow {
  readonly row: number;
  readonly key: string;
  /** From 0 within the clip. */
  readonly piece: number;
  readonly classIndex: number;
  readonly split: 'train' | 'test';
  /** Fold in which a train clip validates, from 1; 0 for a test clip. */
  readonly fold: number;
}

/** Writes rows 0, 1, 2 ... in order. */
export function writePieceRows(path: string, rows: readonly PieceRow[]): void {
  writeCsv(
    path,
    COLUMNS,
    rows.map(({row, key, piece, classIndex, split, fold}) => [row, key, piece, classIndex, split, fold]),
  );
}

/** Reads what `writePieceRows` writes. Throws StageError with the line for anything else. */
export function readPieceRows(path: string, name = 'the rows table'): readonly PieceRow[] {
  return readCsvTable(path, COLUMNS, name).rows.map(({line, record}, i) => {
    const number = (column: string): number => {
      const text = record[column] ?? '';
      if (!/^\d{1,9}$/.test(text)) throw new StageError(`${name}, line ${line}: ${column} is \`${text}\``);
      return Number(text);
    };
    const {key = '', split = ''} = record;
    if (split !== 'train' && split !== 'test') throw new StageError(`${name}, line ${line}: split is \`${split}\``);
    if (number('row') !== i) throw new StageError(`${name}, line ${line}: row ${number('row')} should be ${i}`);
    return {row: i, key, piece: number('piece'), classIndex: number('class'), split, fold: number('fold')};
  });
}

/** Trains in fold `fold`: a train clip of another fold; of any fold when `fold` is 0. */
export function isTraining({split, fold: own}: Pick<PieceRow, 'split' | 'fold'>, fold: number): boolean {
  return split === 'train' && own !== fold;
}

const COLUMNS = ['row', 'key', 'piece', 'class', 'split', 'fold'] as const;
