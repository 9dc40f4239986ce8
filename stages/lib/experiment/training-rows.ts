import {StageError} from 'mixdown/stage';
import {readCsvTable} from '../formats/csv.ts';
import {isTraining, type PieceRow} from './piece-rows.ts';

/**
 * The rows of an order table (`row`, `class`), in its order, repeats included; at least one. Throws StageError for a row that
 * is not a training row of `fold`: a leak would make the scores worthless.
 */
export function readOrder(path: string, rows: readonly PieceRow[], fold: number): readonly number[] {
  const order = readCsvTable(path, ['row', 'class'], NAME).rows.map(({line, record}) => {
    const row = trainingRow(record['row'] ?? '', rows, fold, `${NAME}, line ${line}`);
    if (record['class'] !== String(row.classIndex)) {
      throw new StageError(
        `${NAME}, line ${line}: row ${row.row} (clip \`${row.key}\`) is of class ${row.classIndex}, not ` +
          `\`${record['class']}\``,
        'it was made for another rows table',
      );
    }
    return row.row;
  });
  if (order.length === 0) throw new StageError(`${NAME} has no rows`);
  return order;
}

/** The row that `text` numbers. Throws StageError when there is none or it is not for training in `fold`. */
export function trainingRow(text: string, rows: readonly PieceRow[], fold: number, where: string): PieceRow {
  const row = /^\d{1,9}$/.test(text) ? rows[Number(text)] : undefined;
  if (row === undefined) throw new StageError(`${where}: row \`${text}\` is not in the rows table`);
  if (!isTraining(row, fold)) {
    const place = row.split === 'test' ? 'is a test clip' : `validates fold ${fold}`;
    throw new StageError(
      `${where}: row ${row.row} must not train fold ${fold}: clip \`${row.key}\` ${place}`,
      'give the same rows table and the same fold to every stage of the fold',
    );
  }
  return row;
}

/**
 * What each row counts in training: its weight, times `unverifiedWeight` where nobody has confirmed the label. Throws StageError
 * when one of the rows `used` counts nothing: it would take the place of one that does.
 */
export function trainingWeights(
  rows: readonly PieceRow[],
  used: Iterable<number>,
  unverifiedWeight: number,
): readonly number[] {
  const weights = rows.map(({weight, verified}) => (verified ? weight : weight * unverifiedWeight));
  for (const i of used) {
    if ((weights[i] as number) > 0) continue;
    const {key, weight} = rows[i] as PieceRow;
    const row = `row ${i} (clip \`${key}\`) is drawn to train, and counts 0`;
    if (weight === 0) throw new StageError(`${row}: so the rows table says`, 'make the order from this rows table');
    throw new StageError(
      `${row}: its label is not verified, and \`unverifiedWeight\` is ${unverifiedWeight}`,
      'give the order that balance makes with `labels: verified`, or a higher `unverifiedWeight`',
    );
  }
  return weights;
}

const NAME = 'the order table';
