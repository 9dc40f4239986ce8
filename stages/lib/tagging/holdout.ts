import {createRng} from '../rng.ts';

/** Rows that train, and those that are held out, both rising. */
export interface HoldoutSplit {
  readonly training: Int32Array;
  readonly holdout: Int32Array;
}

/** Holds out `size` of the rows; which ones follows from the seed. */
export function holdOut(all: Int32Array, size: number, seed: number): HoldoutSplit {
  const rng = createRng(seed).fork('holdout');
  const rows = all.slice();
  for (let i = 0; i < size; i++) {
    const j = i + rng.integer(rows.length - i);
    const row = rows[j] as number;
    rows[j] = rows[i] as number;
    rows[i] = row;
  }
  return {training: rows.slice(size).sort(), holdout: rows.slice(0, size).sort()};
}
