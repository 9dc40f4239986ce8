import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {createRng} from '../../../../stages/lib/rng.ts';
import {stratify, type StratifyItem} from '../../../../stages/lib/stratify.ts';

const item = fc.record({label: fc.constantFrom('a', 'b', 'c', 'd'), verified: fc.boolean()});
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
      label: i % 2 === 0 ? 'a' : 'b',
      verified: true,
      split: i % 5 === 0 ? 'test' : 'train',
    }));
    const places = stratify(items, {folds: 4, testFraction: 0.5, verifiedTest: true}, createRng(1));
    expect(places.map((place) => (place === 0 ? 'test' : 'train'))).toEqual(items.map(({split}) => split));
    for (const fold of [1, 2, 3, 4]) expect(count(places, (place) => place === fold)).toBe(8);
  });

  test('another seed draws other test clips, the same seed the same', () => {
    const items = Array.from({length: 100}, (_, i): StratifyItem => ({label: String(i % 5), verified: true}));
    const draw = (seed: number) => stratify(items, {folds: 5, testFraction: 0.2, verifiedTest: true}, createRng(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
});
