import type {Rng} from './rng.ts';

/** Where one clip goes: fold 1 ... k, or 0 for the test clips. */
export type Assignment = number;

export interface StratifyItem {
  readonly label: string;
  readonly verified: boolean;
  /** Fixed beforehand; else drawn. */
  readonly split?: 'train' | 'test';
}

export interface StratifyOptions {
  readonly folds: number;
  /** Share of the clips to test on, where the split is not fixed beforehand; 0 ... below 1. */
  readonly testFraction: number;
  /** Draw test clips among the verified ones as long as there are any. */
  readonly verifiedTest: boolean;
}

/**
 * Spreads each label over test and folds as evenly as possible. A label of n free clips gives n * testFraction of them,
 * rounded down or up so that the total is right too, but never its last one, to the test clips; the folds' shares of a label
 * differ by one at most, and so do the folds' sizes. Verified clips are spread likewise.
 * Each label has its own random stream: clips of one label do not move when another label's clips change in order.
 */
export function stratify(items: readonly StratifyItem[], options: StratifyOptions, rng: Rng): readonly Assignment[] {
  const {folds, testFraction, verifiedTest} = options;
  const assignments: Assignment[] = items.map(() => 0);
  let freeClips = 0;
  let testClips = 0;
  let dealt = 0;
  for (const [label, members] of groupByLabel(items)) {
    const shuffled = rng.fork(label).shuffle(members);
    const isVerified = (i: number): boolean => items[i]?.verified === true;
    const free = shuffled.filter((i) => items[i]?.split === undefined);
    freeClips += free.length;
    const testClipsBefore = testClips;
    testClips = Math.floor(freeClips * testFraction + 0.5 + ROUNDING);
    const taken = Math.max(0, Math.min(testClips - testClipsBefore, free.length - 1));
    const test = new Set((verifiedTest ? verifiedFirst(free, isVerified) : free).slice(0, taken));
    const train = shuffled.filter((i) => items[i]?.split !== 'test' && !test.has(i));
    for (const i of verifiedFirst(train, isVerified)) assignments[i] = 1 + (dealt++ % folds);
  }
  return assignments;
}

/** Against 0.2 * 35 = 7.000000000000001 and its like. */
const ROUNDING = 1e-9;

/** Indices by label, in order of the labels' code points. */
function groupByLabel(items: readonly StratifyItem[]): readonly (readonly [string, readonly number[]])[] {
  const groups = new Map<string, number[]>();
  for (const [i, {label}] of items.entries()) {
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [i]);
    else group.push(i);
  }
  return [...groups].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function verifiedFirst(indices: readonly number[], isVerified: (i: number) => boolean): readonly number[] {
  return [...indices.filter(isVerified), ...indices.filter((i) => !isVerified(i))];
}
