import {defineStage, StageError} from 'mixdown/stage';
import {readVocabulary} from './lib/datasets/vocabulary.ts';
import {classesOf, compareCodePoints, readFolds, writeFolds, type Clip} from './lib/experiment/dataset.ts';
import {coverageOf, writeClasses} from './lib/experiment/fold-coverage.ts';
import {pieceParams} from './lib/experiment/piece-params.ts';
import {writePieceRows, type PieceRow} from './lib/experiment/piece-rows.ts';
import {clipPieces} from './lib/experiment/pieces.ts';
import {stratify} from './lib/experiment/stratify.ts';
import {readVectorTable, type VectorClip} from './lib/experiment/vector-table.ts';
import type {Vectors} from './lib/experiment/vectors.ts';
import {npyWriter, type NpyWriter} from './lib/formats/npy-writer.ts';
import {openVectorFile, type VectorFile} from './lib/formats/vector-file.ts';
import {count, firstOf} from './lib/problems.ts';
import {createRng} from './lib/rng.ts';

export default defineStage({
  name: 'vectors',
  summary:
    'Vectors that were computed elsewhere, an array and a table, as folds and segments give those of recordings.',
  params: {
    format: {
      type: 'string',
      enum: ['npy', 'uint8', 'float32'],
      default: 'npy',
      about: 'of the array: a .npy file, or values without a header, row by row, little endian',
    },
    width: {type: 'integer', minimum: 0, default: 0, about: 'values of a vector; 0: what the .npy file says'},
    rowOf: {
      type: 'string',
      enum: ['clip', 'vector'],
      default: 'clip',
      about: 'what a row of the table is; the vectors of a clip follow each other, under one name and with one label',
    },
    rowColumn: {
      type: 'string',
      default: '',
      about: "column with the number of the row's first vector in the array, from 0, to be checked; empty: row",
    },
    countColumn: {type: 'string', default: '', about: 'column with how many vectors a clip has; empty: one a row'},
    fileColumn: {type: 'string', default: '', about: 'column of the clip; empty: fname, filename, path ...'},
    labelColumn: {type: 'string', default: '', about: 'column of the label; empty: label, category, class ...'},
    verifiedColumn: {
      type: 'string',
      default: '',
      about: 'column that says whether a person confirmed the label, 0 or 1; empty: manually_verified',
    },
    splitColumn: {type: 'string', default: '', about: 'column of train or test; empty: split'},
    foldColumn: {type: 'string', default: '', about: 'column of the official fold; empty: fold'},
    groupColumn: {type: 'string', default: '', about: 'column of the source recording; empty: group'},
    firstFold: {
      type: 'integer',
      minimum: 0,
      maximum: 1,
      default: 1,
      about:
        'number of the first fold in the table; with 1, fold 0 is the test; with 0, folds count one more afterwards',
    },
    folds: {type: 'integer', minimum: 2, maximum: 100, default: 5, about: 'folds to draw where the table has none'},
    testFraction: {
      type: 'number',
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.2,
      about: 'share of the clips to test on, where the table has neither split nor folds',
    },
    ...pieceParams,
    length: {...pieceParams.length, default: 1},
  },
  inputs: {
    vectors: {
      kind: 'file',
      about: 'the array: (rows, width), or (rows, vectors, width); uint8, which counts as (q - 128) / 128, or floats',
    },
    table: {kind: 'file', about: 'csv with the rows of the array, in its order: clip, label, and what else there is'},
    vocabulary: {
      kind: 'file',
      optional: true,
      about: 'the labels there may be: one a line, or a csv file with a column label or display_name',
    },
  },
  outputs: {
    features: {
      kind: 'file',
      name: 'features.npy',
      compare: {as: 'npy', relative: 1e-3},
      about: 'shape (rows, length, width), uint8 or float32',
    },
    rows: {
      kind: 'file',
      name: 'rows.csv',
      about: 'row, key, piece, class, split, fold, parent, label, verified, weight of each row of the features',
    },
    folds: {
      kind: 'file',
      name: 'folds.csv',
      about: 'csv: key,label,class,verified,split,fold,group,parent, sorted by key',
    },
    classes: {
      kind: 'file',
      name: 'classes.csv',
      about: 'csv: index,label,trainClips,testClips: the order of every class axis, labels sorted by code point',
    },
  },
  seeded: true,
  run({params, inputs, outputs, seed, signal, log, metric}) {
    const vocabulary = inputs.vocabulary === undefined ? undefined : readVocabulary(inputs.vocabulary);
    const labelled = readVectorTable(inputs.table, {...params, vocabulary});
    const vectors = openVectorFile(inputs.vectors, params.format, params.width, 'the vectors');
    try {
      checkRows(labelled, vectors);
      const sorted = labelled.toSorted((a, b) => compareCodePoints(a.key, b.key));
      const clips = placeClips(sorted, params, seed, log);
      writeFolds(outputs.folds, clips);
      // Later stages refuse a table with a leak: better now.
      const {classes} = readFolds(outputs.folds, 'the folds table of the vectors');
      writeClasses(outputs.classes, clips, classes);
      const rows: PieceRow[] = [];
      let writer: NpyWriter<Vectors> | undefined;
      try {
        for (const [i, clip] of clips.entries()) {
          signal.throwIfAborted();
          const {first, rows: own} = sorted[i] as VectorClip;
          const data = vectors.read(first, own);
          if (!data.every(Number.isFinite)) {
            throw new StageError(`the vectors of clip \`${clip.key}\` hold what is not a finite number`);
          }
          const {pieces, width} = clipPieces(data, vectors.width, params);
          writer ??= npyWriter<Vectors>(outputs.features, [params.length, width], data);
          for (const [piece, values] of pieces.entries()) {
            writer.write(values);
            rows.push({...clip, row: rows.length, piece, weight: 1});
          }
        }
      } finally {
        writer?.close();
      }
      writePieceRows(outputs.rows, rows);
      metric('rows', rows.length);
      metric('clips', clips.length);
      metric('classes', classes.length);
      metric('verifiedClips', clips.filter(({verified}) => verified).length);
      metric('testClips', clips.filter(({split}) => split === 'test').length);
    } finally {
      vectors.close();
    }
  },
});

function checkRows(clips: readonly VectorClip[], {rows}: VectorFile): void {
  const wanted = clips.reduce((sum, clip) => sum + clip.rows, 0);
  if (wanted === rows) return;
  throw new StageError(
    `the table is for ${count(wanted, 'row')} of the array, which has ${rows}`,
    'see that both are of one dataset, and that `format`, `width` and `countColumn` say what the array is',
  );
}

interface Placing {
  readonly folds: number;
  readonly testFraction: number;
}

/** The clips with their official places, or places drawn for them, in the order given. */
function placeClips(
  labelled: readonly VectorClip[],
  {folds, testFraction}: Placing,
  seed: number,
  log: (text: string) => void,
): readonly Clip[] {
  const official = labelled.reduce((most, {fold}) => Math.max(most, fold ?? 0), 0);
  const placing = {folds: official || folds, testFraction, verifiedTest: true};
  const places = stratify(labelled, placing, createRng(seed));
  const classes = classesOf(labelled.map(({label}) => label));
  const clips = labelled.map(({key, label, verified, group}, i): Clip => {
    const fold = places[i] ?? 0;
    const split = fold === 0 ? 'test' : 'train';
    return {key, label, classIndex: classes.indexOf(label), verified, split, fold, group, parent: ''};
  });
  for (let fold = 1; fold <= placing.folds; fold++) {
    if (clips.some((clip) => clip.fold === fold)) continue;
    throw new StageError(
      `fold ${fold} of ${placing.folds} has no clips`,
      official > 0 ? 'see that `foldColumn` and `firstFold` are those of the table' : 'use fewer `folds` or more clips',
    );
  }
  const {texts} = coverageOf(clips, classes, placing.folds);
  if (texts.length > 0) log(firstOf(texts));
  return clips;
}
