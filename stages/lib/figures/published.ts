import type {Score} from './scores.ts';

/** A figure of another work, to print beside our own. */
export interface ReferenceRow {
  readonly variant: string;
  readonly score: Score;
  readonly value: number;
}

/** Names of the published tables, for the param of a stage. */
export const PUBLISHED_TABLES = ['table-10', 'table-12', 'table-13', 'table-14', 'table-15'] as const;
export type PublishedTable = (typeof PUBLISHED_TABLES)[number];

/**
 * The scores of the thesis that the audio pipeline rebuilds. Table 10: AudioSet's evaluation set. The others: MAP@3 of
 * FSDKaggle2018's public test clips; 12 with one segment and all levels for each extractor, 13 for each addition to the
 * training, 14 for each set of levels, 15 for each length of the training examples, of which the text gives the best only.
 */
export function publishedRows(table: PublishedTable): readonly ReferenceRow[] {
  return table === 'table-10' ? AUDIOSET.flatMap(audiosetRows) : FSDKAGGLE[table].map(map3Row);
}

function audiosetRows([variant, map, auc, dPrime]: (typeof AUDIOSET)[number]): readonly ReferenceRow[] {
  return [
    {variant, score: 'map', value: map},
    {variant, score: 'auc', value: auc},
    {variant, score: 'dPrime', value: dPrime},
  ];
}

function map3Row([variant, value]: readonly [string, number]): ReferenceRow {
  return {variant, score: 'map3', value};
}

const AUDIOSET: readonly (readonly [variant: string, map: number, auc: number, dPrime: number])[] = [
  ['DNN-1', 0.253, 0.934, 2.133],
  ['DNN-2', 0.294, 0.96, 2.482],
  ['LSTM', 0.307, 0.953, 2.367],
  ['level-1', 0.334, 0.957, 2.422],
  ['level-2', 0.346, 0.961, 2.497],
  ['level-3', 0.347, 0.963, 2.52],
  ['level-12', 0.338, 0.957, 2.423],
  ['level-13', 0.335, 0.959, 2.457],
  ['level-23', 0.345, 0.962, 2.506],
  ['level-123', 0.34, 0.958, 2.439],
];

const FSDKAGGLE: Readonly<
  Record<Exclude<PublishedTable, 'table-10'>, readonly (readonly [variant: string, map3: number])[]>
> = {
  'table-12': [
    ['Baseline', 0.704],
    ['Original VGGish', 0.606],
    ['Balanced First', 0.87],
    ['Balanced Last', 0.864],
    ['Balanced Ensemble', 0.891],
    ['Unbalanced First', 0.858],
    ['Unbalanced Last', 0.872],
    ['Unbalanced Ensemble', 0.892],
    ['All Ensemble', 0.903],
  ],
  'table-13': [
    ['A: 1-segment', 0.903],
    ['B: LSTM', 0.914],
    ['C: 6-segment attention', 0.925],
    ['D: C with pitch shift', 0.93],
    ['E: D with mixup 0.1', 0.93],
    ['F: D with mixup 0.2', 0.936],
    ['G: D with mixup 0.4', 0.931],
    ['H: D with mixup 1.0', 0.93],
  ],
  'table-14': [
    ['level-1', 0.93],
    ['level-2', 0.929],
    ['level-3', 0.934],
    ['level-12', 0.935],
    ['level-13', 0.929],
    ['level-23', 0.928],
    ['level-123', 0.936],
  ],
  'table-15': [['6 segments', 0.936]],
};
