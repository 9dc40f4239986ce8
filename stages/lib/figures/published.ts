import type {Score} from './scores.ts';

/** What another work says of one variant. */
export interface PublishedVariant {
  readonly variant: string;
  /** Names besides `variant` by which ours is known to be the same. */
  readonly names?: readonly string[];
  /** What it is, in a few words. */
  readonly about?: string;
  /** None where the work has the variant, but its figures are not known. */
  readonly scores: {readonly [S in Score]?: number};
}

/** What another work says of two variants: the one-sided p-value, or words where the number is not known. */
export interface PublishedPair {
  readonly a: string;
  readonly b: string;
  readonly p: PublishedP;
}

export type PublishedP = number | 'similar' | 'different';

export interface Published {
  /** In the order of its rows. */
  readonly variants: readonly PublishedVariant[];
  readonly pairs: readonly PublishedPair[];
  /** What has to be known to read the figures, a paragraph each. */
  readonly notes: readonly string[];
}

/** Names of the published tables, for the param of a stage. */
export const PUBLISHED_TABLES = [
  'table-10',
  'table-11',
  'table-12',
  'table-13',
  'table-14',
  'table-15',
  'table-16',
] as const;
export type PublishedTable = (typeof PUBLISHED_TABLES)[number];

/** What the text of the thesis says in its table. Its figures are images: no other source has more of Tables 11, 15 and 16. */
export function publishedTable(table: PublishedTable): Published {
  return TABLES[table];
}

/** Groups of FSDKaggle2018's classes that the thesis names as taken for each other; its Table 16 is not in its text. */
export const CONFUSED_CLASSES: readonly (readonly string[])[] = [
  ['Flute', 'Saxophone', 'Clarinet'],
  ['Cello', 'Violin_or_fiddle', 'Double_bass'],
];

const LEVELS = ['level-1', 'level-2', 'level-3', 'level-12', 'level-13', 'level-23', 'level-123'] as const;

const PUBLIC_CLIPS = 'Published: MAP@3 of the public part of the test set of FSDKaggle2018, 301 clips.';

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

const EXTRACTORS: readonly (readonly [variant: string, map3: number, names: readonly string[]])[] = [
  ['Baseline', 0.704, []],
  ['Original VGGish', 0.606, ['original']],
  ['Balanced First Part', 0.87, ['balanced-first']],
  ['Balanced Last Part', 0.864, ['balanced-last']],
  ['Balanced Ensemble', 0.891, ['balanced']],
  ['Unbalanced First Part', 0.858, ['unbalanced-first']],
  ['Unbalanced Last Part', 0.872, ['unbalanced-last']],
  ['Unbalanced Ensemble', 0.892, ['unbalanced']],
  ['All Ensemble', 0.903, ['all', 'A']],
];

const MODELS: readonly (readonly [variant: string, about: string, map3: number])[] = [
  ['A', '1-segment multi-level', 0.903],
  ['B', 'LSTM', 0.914],
  ['C', '6-segment multi-level attention', 0.925],
  ['D', 'C + pitch-shifting augmentation', 0.93],
  ['E', 'D + mixup (α = 0.1)', 0.93],
  ['F', 'D + mixup (α = 0.2)', 0.936],
  ['G', 'D + mixup (α = 0.4)', 0.931],
  ['H', 'D + mixup (α = 1.0)', 0.93],
];

/** Table 14, in the order of LEVELS: MAP@3, and p-values above the diagonal, row after row. */
const LEVEL_SCORES = [0.93, 0.929, 0.934, 0.935, 0.929, 0.928, 0.936];
const LEVEL_PAIRS = [
  ...[0.36, 0.108, 0.165, 0.12, 0.323, 0.05],
  ...[0.204, 0.286, 0.238, 0.258, 0.048],
  ...[0.4, 0.428, 0.066, 0.169],
  ...[0.475, 0.098, 0.159],
  ...[0.019, 0.101],
  0.012,
];

const LENGTHS = [1, 2, 4, 6, 8, 10];

const TABLES: {readonly [T in PublishedTable]: Published} = {
  'table-10': {
    variants: AUDIOSET.map(([variant, map, auc, dPrime]) => ({variant, scores: {map, auc, dPrime}})),
    pairs: [],
    notes: [
      'Published: evaluation set of AudioSet; DNN-1 was trained on the balanced set of 22 160 clips, ' +
        'all others on it and the unbalanced set of 2 million.',
    ],
  },
  'table-11': {
    variants: LEVELS.map((variant) => ({variant, scores: {}})),
    pairs: [
      {a: 'level-2', b: 'level-3', p: 0.21},
      {a: 'level-2', b: 'level-23', p: 'similar'},
      {a: 'level-3', b: 'level-23', p: 'similar'},
      {a: 'level-1', b: 'level-13', p: 'similar'},
    ],
    notes: [
      'Published: the text gives p(level-2, level-3) = 0.21, and says that level-2, level-3 and level-23 perform alike, ' +
        'as do level-1 and level-13. The other p-values of Table 11 are not in the text.',
    ],
  },
  'table-12': {
    variants: EXTRACTORS.map(([variant, map3, names]) => ({variant, names, scores: {map3}})),
    pairs: [],
    notes: [`${PUBLIC_CLIPS} One segment, all levels; an ensemble is the geometric mean of its extractors.`],
  },
  'table-13': {
    variants: MODELS.map(([variant, about, map3]) => ({variant, about, scores: {map3}})),
    pairs: [],
    notes: [PUBLIC_CLIPS],
  },
  'table-14': {
    variants: LEVELS.map((variant, i) => ({
      variant,
      names: variant === 'level-123' ? ['F', `F-${variant}`] : [`F-${variant}`],
      scores: {map3: LEVEL_SCORES[i] ?? Number.NaN},
    })),
    pairs: LEVELS.flatMap((a, i) => LEVELS.slice(i + 1).map((b) => ({a, b}))).map((pair, i) => ({
      ...pair,
      p: LEVEL_PAIRS[i] ?? Number.NaN,
    })),
    notes: [PUBLIC_CLIPS],
  },
  'table-15': {
    variants: [
      ...LENGTHS.map((n) => ({
        variant: n === 1 ? '1 segment' : `${n} segments`,
        names: [`${n}`, `${n}-segment`, `F-${n}`, `length-${n}`, ...(n === 6 ? ['F'] : [])],
        scores: n === 6 ? {map3: 0.936} : {},
      })),
      {variant: 'All Ensemble', names: ['all', 'ensemble'], scores: {}},
    ],
    pairs: [
      ...[1, 8, 10].map((n) => ({a: '6-segment', b: `${n}-segment`, p: 'different' as const})),
      {a: '4-segment', b: '6-segment', p: 'similar'},
      {a: '4-segment', b: 'All Ensemble', p: 'similar'},
      {a: '6-segment', b: 'All Ensemble', p: 'similar'},
    ],
    notes: [
      `${PUBLIC_CLIPS} Of Table 15 the text gives that 6 segments are the best, significantly different from 1, 8 and 10, and ` +
        'that 4 segments, 6 segments and the ensemble of all lengths are alike. The other figures are not in the text.',
    ],
  },
  'table-16': {
    variants: [],
    pairs: [],
    notes: [
      'Published: Table 16 is not in the text, which names as similar, and taken for each other, ' +
        `${CONFUSED_CLASSES.map((group) => group.join(', ')).join('; and ')}.`,
    ],
  },
};
