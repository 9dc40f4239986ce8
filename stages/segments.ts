import {defineStage, StageError} from 'mixdown/stage';
import {readFolds} from './lib/dataset.ts';
import {vectorReader} from './lib/embeddings.ts';
import {writeNpy} from './lib/npy.ts';
import {cutPieces} from './lib/pieces.ts';
import {writePieceRows, type PieceRow} from './lib/piece-rows.ts';

export default defineStage({
  name: 'segments',
  summary: 'Cuts or repeats the vectors of every clip to pieces of one length, uint8 (rows, length, 128).',
  params: {length: {type: 'integer', minimum: 1, default: 6, about: 'vectors of a piece; one vector is 0.96 s'}},
  inputs: {
    features: {kind: 'tree', about: 'one uint8 .npy a clip, shape (n, 128), from pca-quantize'},
    folds: {kind: 'file', about: 'the folds table'},
  },
  outputs: {
    features: {kind: 'file', name: 'features.npy', about: 'uint8, shape (rows, length, 128)'},
    rows: {kind: 'file', name: 'rows.csv', about: 'row, key, piece, class, split, fold of each row of the features'},
  },
  run({params, inputs, outputs, metric}) {
    const read = vectorReader(inputs.features, 'the features');
    const rows: PieceRow[] = [];
    const pieces: Uint8Array[] = [];
    let width = 0;
    for (const {key, classIndex, split, fold} of readFolds(inputs.folds).clips) {
      const {shape, data} = read(key);
      if (!(data instanceof Uint8Array)) throw new StageError(`the features of clip ${key} are not uint8`);
      if (shape[0] === 0) throw new StageError(`clip ${key} has no vectors`, 'a clip needs at least one');
      width = shape[1] as number;
      for (const [piece, vectors] of cutPieces(shape[0] as number, params.length).entries()) {
        const values = new Uint8Array(params.length * width);
        for (const [i, vector] of vectors.entries()) {
          values.set(data.subarray(vector * width, (vector + 1) * width), i * width);
        }
        rows.push({row: rows.length, key, piece, classIndex, split, fold});
        pieces.push(values);
      }
    }
    if (rows.length === 0) throw new StageError('the folds table has no clips');
    const data = new Uint8Array(rows.length * params.length * width);
    for (const [row, values] of pieces.entries()) data.set(values, row * values.length);
    writeNpy(outputs.features, {shape: [rows.length, params.length, width], data});
    writePieceRows(outputs.rows, rows);
    metric('rows', rows.length);
  },
});
