import {StageError} from 'mixdown/stage';
import {readCsvTable, writeCsv, type CsvRow} from '../formats/csv.ts';

/** What row `row` of the features array is: piece `piece` of a clip. */
export interface PieceRow {
  readonly row: number;
  readonly key: string;
  /** From 0 within the clip. */
  readonly piece: number;
  /** Place of the label among the sorted labels. */
  readonly classIndex: number;
  readonly split: 'train' | 'test';
  /** Fold in which a train clip validates, from 1; 0 for a test clip. */
  readonly fold: number;
  /** Key of the recording that the clip is a changed copy of; empty for a recording. */
  readonly parent: string;
  readonly label: string;
  /** A person has confirmed the label; a copy is as its recording. */
  readonly verified: boolean;
  /** What the row counts in training, beside the 1 of others; 0: it does not train. */
  readonly weight: number;
}

/** Writes rows 0, 1, 2 ... in order. */
export function writePieceRows(path: string, rows: readonly PieceRow[]): void {
  writeCsv(
    path,
    [...COLUMNS, 'verified', 'weight'],
    rows.map(({row, key, piece, classIndex, split, fold, parent, label, verified, weight}) => [
      row,
      key,
      piece,
      classIndex,
      split,
      fold,
      parent,
      label,
      verified ? 1 : 0,
      weight,
    ]),
  );
}

/**
 * Reads what `writePieceRows` writes, also without its last two columns: all rows are then verified, of weight 1. Makes
 * sure that nobody can train on what he is scored with: all rows of a clip agree, and a copy lies in the split and fold of
 * its recording. Throws StageError with the line for anything else.
 */
export function readPieceRows(path: string, name = 'the rows table'): readonly PieceRow[] {
  const table = readCsvTable(path, COLUMNS, name).rows;
  const rows = table.map((row, i) => readRow(row, i, name));
  const wrong = (row: PieceRow, what: string, hint?: string): StageError =>
    new StageError(`${name}, line ${table[row.row]?.line}: ${what}`, hint);
  checkClips(rows, wrong);
  checkCopies(rows, wrong);
  return rows;
}

/** Trains in fold `fold`: a train clip of another fold; of any fold when `fold` is 0. A copy lies where its recording does. */
export function isTraining({split, fold: own}: Pick<PieceRow, 'split' | 'fold'>, fold: number): boolean {
  return split === 'train' && own !== fold;
}

/** The label of each class index. Throws StageError for a class without rows. */
export function classNames(rows: readonly PieceRow[]): readonly string[] {
  const names: string[] = [];
  for (const {classIndex, label} of rows) names[classIndex] = label;
  for (let i = 0; i < names.length; i++) {
    if (names[i] === undefined)
      throw new StageError(`class ${i} has no rows; the largest class is ${names.length - 1}`);
  }
  return names;
}

const COLUMNS = ['row', 'key', 'piece', 'class', 'split', 'fold', 'parent', 'label'] as const;

type Wrong = (row: PieceRow, what: string, hint?: string) => StageError;

function readRow({line, record}: CsvRow, i: number, name: string): PieceRow {
  const number = (column: string): number => {
    const text = record[column] ?? '';
    if (!/^\d{1,9}$/.test(text)) throw new StageError(`${name}, line ${line}: ${column} is \`${text}\``);
    return Number(text);
  };
  const {key = '', split = '', parent = '', label = ''} = record;
  if (key === '' || label === '')
    throw new StageError(`${name}, line ${line}: ${key === '' ? 'key' : 'label'} is empty`);
  if (split !== 'train' && split !== 'test') throw new StageError(`${name}, line ${line}: split is \`${split}\``);
  if (number('row') !== i) throw new StageError(`${name}, line ${line}: row ${number('row')} should be ${i}`);
  const fold = number('fold');
  if ((fold === 0) !== (split === 'test')) {
    throw new StageError(`${name}, line ${line}: clip \`${key}\` is for ${split} in fold ${fold}; fold 0 is the test`);
  }
  const {verified = '1', weight = '1'} = record;
  if (verified !== '0' && verified !== '1') {
    throw new StageError(`${name}, line ${line}: verified is \`${verified}\`; 0 or 1 is needed`);
  }
  if (!/^\d+(\.\d+)?(e[+-]?\d+)?$/.test(weight) || !Number.isFinite(Math.fround(Number(weight)))) {
    throw new StageError(`${name}, line ${line}: weight is \`${weight}\`; a number from 0 is needed`);
  }
  return {
    row: i,
    key,
    piece: number('piece'),
    classIndex: number('class'),
    split,
    fold,
    parent,
    label,
    verified: verified === '1',
    weight: Number(weight),
  };
}

/** The rows of a clip follow each other and agree, and a class has one label. */
function checkClips(rows: readonly PieceRow[], wrong: Wrong): void {
  const seen = new Set<string>();
  const labels = new Map<number, string>();
  let last: PieceRow | undefined;
  for (const row of rows) {
    const before = last?.key === row.key ? last : undefined;
    last = row;
    if (before === undefined && seen.has(row.key)) {
      throw wrong(row, `clip \`${row.key}\` comes again after another clip`, 'the pieces of a clip belong together');
    }
    seen.add(row.key);
    if (row.piece !== (before === undefined ? 0 : before.piece + 1)) {
      throw wrong(row, `piece ${row.piece} of clip \`${row.key}\` is not the next one`);
    }
    const differs = COMMON.find((field) => before !== undefined && before[field] !== row[field]);
    if (differs !== undefined) {
      throw wrong(row, `the pieces of clip \`${row.key}\` differ in ${differs === 'classIndex' ? 'class' : differs}`);
    }
    const label = labels.get(row.classIndex);
    if (label !== undefined && label !== row.label) {
      throw wrong(row, `class ${row.classIndex} is \`${row.label}\` of clip \`${row.key}\`, and \`${label}\` before`);
    }
    labels.set(row.classIndex, row.label);
  }
}

const COMMON = ['classIndex', 'label', 'split', 'fold', 'parent', 'verified'] as const;

function checkCopies(rows: readonly PieceRow[], wrong: Wrong): void {
  const clips = new Map(rows.map((row) => [row.key, row]));
  for (const row of rows) {
    if (row.parent === '') continue;
    const parent = clips.get(row.parent);
    const copy = `copy \`${row.key}\``;
    if (parent === undefined) throw wrong(row, `${copy} is made of \`${row.parent}\`, which the table lacks`);
    if (parent.parent !== '') throw wrong(row, `${copy} is made of \`${row.parent}\`, which is a copy itself`);
    if (parent.classIndex !== row.classIndex) {
      throw wrong(row, `${copy} has label \`${row.label}\`, its recording \`${row.parent}\` has \`${parent.label}\``);
    }
    if (parent.verified !== row.verified) {
      const said = (verified: boolean): string => (verified ? 'verified' : 'not verified');
      throw wrong(row, `${copy} is ${said(row.verified)}, its recording \`${row.parent}\` ${said(parent.verified)}`);
    }
    if (row.split === 'test') throw wrong(row, `${copy} is a test clip; only recordings are tested on`);
    if (parent.fold !== row.fold) {
      throw wrong(
        row,
        `${copy} is in fold ${row.fold}, its recording \`${row.parent}\` ` +
          (parent.split === 'test' ? 'is a test clip' : `in fold ${parent.fold}`),
        'a copy must stay with its recording, or the model trains on what it is scored with',
      );
    }
  }
}
