import {groupBy} from '../group-by.ts';
import type {Rng} from '../rng.ts';

/** Where one clip goes: fold 1 ... k, or 0 for the test clips. */
export type Assignment = number;

export interface StratifyItem {
  readonly label: string;
  readonly verified: boolean;
  /** Items of one group go to one place; empty for an item of its own. */
  readonly group: string;
  /** Fixed beforehand for the item's whole group; else drawn. */
  readonly split: 'train' | 'test' | undefined;
  /** Fold of a train clip, fixed beforehand for its whole group; else drawn. */
  readonly fold: number | undefined;
}

export interface StratifyOptions {
  readonly folds: number;
  /** Share of the clips to test on, where the split is not fixed beforehand; 0 ... below 1. */
  readonly testFraction: number;
  /** Draw test clips among the verified ones as long as there are any. */
  readonly verifiedTest: boolean;
}

/**
 * Spreads each label over test and folds as evenly as groups allow. What moves is a unit: a group, or an item without one.
 *
 * Test: the n free items of a label should give n * testFraction, rounded down or up so that the total is right too, but
 * never its last one. Units are taken, verified ones first, while that brings the label closer to its share. A label whose
 * units have no other label in them misses its share by half of its largest unit at most, unless only its last unit is left.
 *
 * Folds: units in order of size, the largest first, each go to the fold that has least of their labels:
 * the least sum over labels c of (items of c in the unit) * (items of c in the fold) / (train items of c), then the fold with
 * the fewest items, then the first. Units of several labels go first, then label by label. So a label's shares differ by
 * no more than its largest unit; or, if that is more, by what fixed folds and units of several labels leave behind.
 * Without groups and fixed folds, all shares of a label differ by one at most, those of its verified clips too, and so do
 * the folds' sizes.
 *
 * Each label has its own random stream: clips of one label do not move when another label's clips change in order. The order
 * of `items` matters: sort them by something that they keep.
 */
export function stratify(items: readonly StratifyItem[], options: StratifyOptions, rng: Rng): readonly Assignment[] {
  const {folds, testFraction, verifiedTest} = options;
  const units = unitsOf(items);
  const sections = sectionsOf(units, rng);
  const testUnits = chooseTest(sections, testFraction, verifiedTest);
  const deal = dealer(units, testUnits, folds);
  const assignments: Assignment[] = items.map(() => 0);
  for (const section of sections) {
    const train = section.filter((unit) => unit.split !== 'test' && !testUnits.has(unit));
    // Sorting is stable: among units of one size the verified ones come first, and chance decides the rest.
    for (const unit of verifiedFirst(train).sort((a, b) => b.members.length - a.members.length)) {
      const fold = unit.fold ?? deal(unit);
      for (const i of unit.members) assignments[i] = fold;
    }
  }
  return assignments;
}

/** Items that go to one place. */
interface Unit {
  /** Indices of items. */
  readonly members: readonly number[];
  /** Items by label. */
  readonly labels: ReadonlyMap<string, number>;
  /** All of them are. */
  readonly verified: boolean;
  readonly split: 'train' | 'test' | undefined;
  readonly fold: number | undefined;
}

function unitsOf(items: readonly StratifyItem[]): readonly Unit[] {
  const groups = groupBy(items.keys(), (i) => items[i]?.group || i);
  return [...groups.values()].map((members) => {
    const own = members.flatMap((i) => items[i] ?? []);
    const labels = new Map([...groupBy(own, ({label}) => label)].map(([label, those]) => [label, those.length]));
    const fold = own.find((item) => item.fold !== undefined)?.fold;
    const split = fold === undefined ? own.find((item) => item.split !== undefined)?.split : 'train';
    return {members, labels, verified: own.every(({verified}) => verified), split, fold};
  });
}

/** Units in random order: first those of several labels, then label by label in order of code points. */
function sectionsOf(units: readonly Unit[], rng: Rng): readonly (readonly Unit[])[] {
  const several = units.filter(({labels}) => labels.size > 1);
  const single = groupBy(
    units.filter(({labels}) => labels.size === 1),
    ({labels}) => [...labels.keys()][0] ?? '',
  );
  const sorted = [...single].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  // A number is no label: the stream is no label's.
  return [rng.fork(0).shuffle(several), ...sorted.map(([label, own]) => rng.fork(label).shuffle(own))];
}

function chooseTest(
  sections: readonly (readonly Unit[])[],
  testFraction: number,
  verifiedTest: boolean,
): ReadonlySet<Unit> {
  const free = sections.map((section) => section.filter(({split}) => split === undefined));
  const freeItems = countLabels(free.flat());
  const wanted = testShares(freeItems, testFraction);
  const left = new Map(freeItems);
  const chosen = new Set<Unit>();
  for (const section of free) {
    for (const unit of verifiedTest ? verifiedFirst(section) : section) {
      let gain = 0;
      let isFirst = true;
      let isLast = false;
      for (const [label, n] of unit.labels) {
        const missing = wanted.get(label) ?? 0;
        gain += (Math.abs(missing) - Math.abs(missing - n)) / (freeItems.get(label) ?? 1);
        isFirst &&= left.get(label) === freeItems.get(label);
        isLast ||= (left.get(label) ?? 0) <= n;
      }
      if (isLast || gain < 0 || (gain === 0 && !isFirst)) continue;
      chosen.add(unit);
      for (const [label, n] of unit.labels) {
        wanted.set(label, (wanted.get(label) ?? 0) - n);
        left.set(label, (left.get(label) ?? 0) - n);
      }
    }
  }
  return chosen;
}

/** How many items of each label to test on, out of those that are free. */
function testShares(freeItems: ReadonlyMap<string, number>, testFraction: number): Map<string, number> {
  const shares = new Map<string, number>();
  let items = 0;
  let before = 0;
  for (const [label, n] of freeItems) {
    items += n;
    const total = Math.floor(items * testFraction + 0.5 + ROUNDING);
    shares.set(label, Math.max(0, Math.min(total - before, n - 1)));
    before = total;
  }
  return shares;
}

/** Against 0.2 * 35 = 7.000000000000001 and its like. */
const ROUNDING = 1e-9;

/** Items by label, in order of the labels' code points. */
function countLabels(units: readonly Unit[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const {labels} of units) for (const [label, n] of labels) counts.set(label, (counts.get(label) ?? 0) + n);
  return new Map([...counts].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

/** Finds a fold for a unit, and remembers it. */
function dealer(units: readonly Unit[], testUnits: ReadonlySet<Unit>, folds: number): (unit: Unit) => number {
  const train = units.filter((unit) => unit.split !== 'test' && !testUnits.has(unit));
  const trainItems = countLabels(train);
  const sizes = Array.from({length: folds + 1}, () => 0);
  const shares = new Map([...trainItems.keys()].map((label) => [label, sizes.map(() => 0)]));
  const add = ({members, labels}: Unit, fold: number): void => {
    sizes[fold] = (sizes[fold] ?? 0) + members.length;
    for (const [label, n] of labels) {
      const own = shares.get(label);
      if (own) own[fold] = (own[fold] ?? 0) + n;
    }
  };
  for (const unit of train) if (unit.fold !== undefined) add(unit, unit.fold);
  return (unit) => {
    let best = 1;
    let bestCost = Infinity;
    for (let fold = 1; fold <= folds; fold++) {
      let cost = 0;
      for (const [label, n] of unit.labels)
        cost += (n * (shares.get(label)?.[fold] ?? 0)) / (trainItems.get(label) ?? 1);
      const isBetter = cost < bestCost || (cost === bestCost && (sizes[fold] ?? 0) < (sizes[best] ?? 0));
      if (isBetter) [best, bestCost] = [fold, cost];
    }
    add(unit, best);
    return best;
  };
}

function verifiedFirst(units: readonly Unit[]): Unit[] {
  return [...units.filter(({verified}) => verified), ...units.filter(({verified}) => !verified)];
}
