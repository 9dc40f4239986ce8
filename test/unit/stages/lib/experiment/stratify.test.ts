import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {stratify, type StratifyItem} from '../../../../../stages/lib/experiment/stratify.ts';

const free = {group: '', split: undefined, fold: undefined} as const;
const item = fc
  .record({label: fc.constantFrom('a', 'b', 'c', 'd'), verified: fc.boolean()})
  .map((drawn): StratifyItem => ({...drawn, ...free}));
const options = fc.record({
  folds: fc.integer({min: 2, max: 7}),
  testFraction: fc.constantFrom(0, 0.1, 0.2, 0.25, 0.5, 0.9),
  verifiedTest: fc.boolean(),
});

const count = <T>(items: readonly T[], is: (item: T, i: number) => boolean): number => items.filter(is).length;
const spreadOf = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts);

describe('stratify', () => {
  test('spreads labels, verified clips and folds evenly', () => {
    fc.assert(
      fc.property(fc.array(item, {maxLength: 120}), options, fc.nat(), (items, opts, seed) => {
        const places = stratify(items, opts, createRng(seed));
        expect(places.length).toBe(items.length);
        const folds = Array.from({length: opts.folds}, (_, f) => f + 1);
        const sizes = folds.map((fold) => count(places, (place) => place === fold));
        expect(spreadOf(sizes)).toBeLessThanOrEqual(1);
        for (const label of new Set(items.map((it) => it.label))) {
          const total = count(items, (it) => it.label === label);
          const test = count(items, (it, i) => it.label === label && places[i] === 0);
          const share = folds.map((fold) => count(items, (it, i) => it.label === label && places[i] === fold));
          expect(spreadOf(share)).toBeLessThanOrEqual(1);
          expect(test).toBeLessThan(total);
          expect(Math.abs(test - Math.min(total - 1, total * opts.testFraction))).toBeLessThan(1.5);
          const verified = folds.map((fold) =>
            count(items, (it, i) => it.label === label && it.verified && places[i] === fold),
          );
          expect(spreadOf(verified)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('takes verified clips to test on while there are any', () => {
    fc.assert(
      fc.property(fc.array(item, {maxLength: 80}), fc.nat(), (items, seed) => {
        const places = stratify(items, {folds: 3, testFraction: 0.3, verifiedTest: true}, createRng(seed));
        for (const label of new Set(items.map((it) => it.label))) {
          const unverifiedTests = count(items, (it, i) => it.label === label && !it.verified && places[i] === 0);
          const verifiedTrain = count(items, (it, i) => it.label === label && it.verified && places[i] !== 0);
          expect(Math.min(unverifiedTests, verifiedTrain)).toBe(0);
        }
      }),
    );
  });

  test('keeps a split that is fixed beforehand', () => {
    const items: StratifyItem[] = Array.from({length: 40}, (_, i) => ({
      ...free,
      label: i % 2 === 0 ? 'a' : 'b',
      verified: true,
      split: i % 5 === 0 ? 'test' : 'train',
    }));
    const places = stratify(items, {folds: 4, testFraction: 0.5, verifiedTest: true}, createRng(1));
    expect(places.map((place) => (place === 0 ? 'test' : 'train'))).toEqual(items.map(({split}) => split));
    for (const fold of [1, 2, 3, 4]) expect(count(places, (place) => place === fold)).toBe(8);
  });

  test('another seed draws other test clips, the same seed the same', () => {
    const items = Array.from({length: 100}, (_, i): StratifyItem => ({...free, label: String(i % 5), verified: true}));
    const draw = (seed: number) => stratify(items, {folds: 5, testFraction: 0.2, verifiedTest: true}, createRng(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  /** Items of up to 12 groups; some places are fixed, for whole groups. */
  const grouped = fc
    .record({
      items: fc.array(
        fc.record({
          label: fc.constantFrom('a', 'b', 'c'),
          verified: fc.boolean(),
          group: fc.integer({min: 0, max: 12}),
        }),
        {minLength: 1, maxLength: 90},
      ),
      oneLabel: fc.boolean(),
      fixed: fc.array(fc.option(fc.integer({min: 0, max: 2}), {nil: undefined}), {minLength: 13, maxLength: 13}),
    })
    .map(({items, oneLabel, fixed}) =>
      items.map(({label, verified, group}): StratifyItem => {
        const place = fixed[group];
        const own = group === 0 ? '' : `${group}${oneLabel ? label : ''}`;
        if (own === '' || place === undefined) return {...free, label, verified, group: own};
        return place === 0
          ? {label, verified, group: own, split: 'test', fold: undefined}
          : {label, verified, group: own, split: 'train', fold: place};
      }),
    );

  test('never splits a group, and keeps what is fixed', () => {
    fc.assert(
      fc.property(grouped, options, fc.nat(), (items, opts, seed) => {
        const places = stratify(items, opts, createRng(seed));
        const placeOf = new Map<string, number>();
        for (const [i, {group, split, fold}] of items.entries()) {
          if (fold !== undefined) expect(places[i]).toBe(fold);
          if (split === 'test') expect(places[i]).toBe(0);
          if (group === '') continue;
          expect(places[i]).toBe(placeOf.get(group) ?? places[i]);
          placeOf.set(group, places[i] ?? -1);
        }
      }),
    );
  });

  test('spreads a label over the folds by no more than its largest group, or what others leave behind', () => {
    fc.assert(
      fc.property(grouped, options, fc.nat(), (items, opts, seed) => {
        const places = stratify(items, opts, createRng(seed));
        const train = items.flatMap((it, i) => (places[i] === 0 ? [] : [{...it, place: places[i] ?? 0}]));
        const labelsOf = (group: string) => new Set(items.filter((it) => it.group === group).map((it) => it.label));
        const several = new Set(
          items.map((it) => it.group).filter((group) => group !== '' && labelsOf(group).size > 1),
        );
        for (const label of new Set(train.map((it) => it.label))) {
          const own = train.filter((it) => it.label === label);
          const share = (members: typeof own): number =>
            spreadOf(Array.from({length: opts.folds}, (_, f) => count(members, (it) => it.place === f + 1)));
          const largest = Math.max(
            1,
            ...own.map((it) => (it.group === '' ? 1 : count(own, (o) => o.group === it.group))),
          );
          const fixed = share(own.filter((it) => it.fold !== undefined));
          const mixed = count(own, (it) => it.fold === undefined && several.has(it.group));
          expect(share(own)).toBeLessThanOrEqual(Math.max(largest, fixed + mixed));
        }
      }),
    );
  });

  test('tests on a share of each label within half of its largest group, unless only one unit is left to train', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({label: fc.constantFrom('a', 'b'), group: fc.integer({min: 1, max: 9})}), {minLength: 1}),
        options,
        fc.nat(),
        (drawn, opts, seed) => {
          const items = drawn.map(({label, group}, i): StratifyItem => ({
            ...free,
            label,
            verified: i % 3 === 0,
            group: `${label}${group}`,
          }));
          const places = stratify(items, opts, createRng(seed));
          for (const label of new Set(items.map((it) => it.label))) {
            const own = items.flatMap((it, i) => (it.label === label ? [{...it, place: places[i]}] : []));
            const sizes = [...new Set(own.map((it) => it.group))].map((group) =>
              count(own, (it) => it.group === group),
            );
            const trainGroups = new Set(own.filter((it) => it.place !== 0).map((it) => it.group)).size;
            const test = count(own, (it) => it.place === 0);
            const share = Math.min(own.length - 1, own.length * opts.testFraction);
            expect(trainGroups).toBeGreaterThan(0);
            if (trainGroups > 1) expect(Math.abs(test - share)).toBeLessThan(Math.max(...sizes) / 2 + 1.5);
          }
        },
      ),
    );
  });

  test('places the largest groups first, so that small ones can make up for them', () => {
    const items = Array.from({length: 10}, (_, i): StratifyItem => ({
      ...free,
      label: 'a',
      verified: true,
      group: i < 5 ? '' : 'tape',
    }));
    for (let seed = 1; seed <= 20; seed++) {
      const places = stratify(items, {folds: 2, testFraction: 0, verifiedTest: true}, createRng(seed));
      expect([1, 2].map((fold) => count(places, (place) => place === fold))).toEqual([5, 5]);
    }
  });
});
