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
