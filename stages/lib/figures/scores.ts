import type {ClassScore} from '../learning/report.ts';

/** Scores of a report that a table can have as columns. */
export const SCORES = ['map3', 'map', 'auc', 'dPrime', 'accuracy'] as const;
export type Score = (typeof SCORES)[number];

/** As people write them. */
export const SCORE_NAMES: {readonly [S in Score]: string} = {
  map3: 'MAP@3',
  map: 'MAP',
  auc: 'AUC',
  dPrime: "d'",
  accuracy: 'accuracy',
};

/** The scores of a class, as people write them. */
export const CLASS_SCORE_NAMES: {readonly [S in ClassScore]: string} = {ap: 'AP', auc: 'AUC', ap3: 'AP@3'};
