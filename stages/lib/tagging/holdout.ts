import {createRng} from '../rng.ts';

/** Rows that train, and those that are held out, both rising. */
export interface HoldoutSplit {
  readonly training: Int32Array;
  readonly holdout: Int32Array;
}

/** Holds out `size` of the rows 0 ... count - 1; which ones follows from the seed. */
export function holdOut(count: number, size: number, seed: number): HoldoutSplit {
  const rng = createRng(seed).fork('holdout');
  const rows = Int32Array.from({length: count}, (_, row) => row);
  for (let i = 0; i < size; i++) {
    const j = i + rng.integer(count - i);
    const row = rows[j] as number;
    rows[j] = rows[i] as number;
    rows[i] = row;
  }
  return {training: rows.slice(size).sort(), holdout: rows.slice(0, size).sort()};
}
