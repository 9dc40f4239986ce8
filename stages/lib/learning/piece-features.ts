import {StageError} from 'mixdown/stage';
import type {PieceRow} from '../experiment/piece-rows.ts';
import {readNpy} from '../formats/npy.ts';
import type {PieceData} from './piece-data.ts';

/**
 * The features array of stage segments, uint8 or float32 (rows, length, width), with what its rows are. Throws StageError when
 * it does not fit the rows table, or holds what is not a finite number.
 */
export function readPieces(path: string, rows: readonly PieceRow[], classes: readonly string[]): PieceData {
  const {shape, data} = readNpy(path, 'the features');
  if (!(data instanceof Uint8Array || data instanceof Float32Array) || shape.length !== 3) {
    throw new StageError('the features are not a uint8 or float32 array of three axes');
  }
  const [count, pieces = 0, width = 0] = shape;
  if (count !== rows.length) throw new StageError(`the features have ${count} rows, the rows table has ${rows.length}`);
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const key = rows[Math.floor(bad / (pieces * width))]?.key;
    throw new StageError(`the features of clip \`${key}\` hold what is not a finite number`);
  }
  return {features: data, pieces, width, labels: rows.map(({classIndex}) => classIndex), classes: classes.length};
}
