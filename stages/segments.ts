import {defineStage, StageError} from 'mixdown/stage';
import {readFolds, type Clip} from './lib/experiment/dataset.ts';
import {vectorReader} from './lib/learning/embeddings.ts';
import {npyWriter, type NpyWriter} from './lib/formats/npy-writer.ts';
import {pieceParams} from './lib/experiment/piece-params.ts';
import {clipPieces} from './lib/experiment/pieces.ts';
import {writePieceRows, type PieceRow} from './lib/experiment/piece-rows.ts';
import type {Vectors} from './lib/experiment/vectors.ts';

export default defineStage({
  name: 'segments',
  summary: 'Cuts, repeats or pads the vectors of every clip to pieces of one length, (rows, length, width).',
  params: {
    ...pieceParams,
    copies: {type: 'boolean', default: true, about: 'false: recordings only, also where the folds table has copies'},
  },
  inputs: {
    features: {
      kind: 'tree',
      many: true,
      about: 'one .npy a clip, uint8 or float32, shape (n, width), such as from pca-quantize; recordings, then copies',
    },
    folds: {kind: 'file', about: 'the folds table: of folds, or with copies of augmentation'},
  },
  outputs: {
    features: {
      kind: 'file',
      name: 'features.npy',
      // As the bytes of pca-quantize, which are of size 130; embeddings as floats differ by much less.
      compare: {as: 'npy', relative: 1e-3},
      about: 'shape (rows, length, width for each of `scales`), of the type of the input',
    },
    rows: {
      kind: 'file',
      name: 'rows.csv',
      about: 'row, key, piece, class, split, fold, parent, label, verified, weight of each row of the features',
    },
  },
  run({params, inputs, outputs, metric}) {
    const {clips: all} = readFolds(inputs.folds);
    const clips = params.copies ? all : all.filter(({parent}) => parent === '');
    if (clips.length === 0) throw new StageError('the folds table has no clips');
    const read = vectorReader(inputs.features, 'the features');
    const rows: PieceRow[] = [];
    let writer: NpyWriter<Vectors> | undefined;
    try {
      for (const clip of clips) {
        const {shape, data} = read(clip.key);
        const [count = 0, width = 0] = shape;
        if (count === 0) throw new StageError(`clip ${clip.key} has no vectors`, 'a clip needs at least one');
        const made = clipPieces(data, width, params);
        writer ??= npyWriter<Vectors>(outputs.features, [params.length, made.width], data);
        for (const [i, piece] of made.pieces.entries()) {
          writer.write(piece);
          rows.push(rowOf(clip, rows.length, i));
        }
      }
    } finally {
      writer?.close();
    }
    writePieceRows(outputs.rows, rows);
    metric('rows', rows.length);
    metric('clips', clips.length);
    metric('copies', clips.filter(({parent}) => parent !== '').length);
  },
});

function rowOf({key, classIndex, split, fold, parent, label, verified}: Clip, row: number, piece: number): PieceRow {
  return {row, key, piece, classIndex, split, fold, parent, label, verified, weight: 1};
}
