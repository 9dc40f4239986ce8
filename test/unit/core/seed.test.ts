import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {nodeSeed, sliceSeed} from '../../../src/core/seed.ts';

const inRange = (seed: number): boolean => Number.isInteger(seed) && seed >= 1 && seed <= 0x7fffffff;

describe('nodeSeed', () => {
  it('is a positive 31-bit integer that does not depend on the order of axes', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), fc.dictionary(fc.string(), fc.string()), (seed, name, variant) => {
        const found = nodeSeed(seed, name, variant);
        expect(inRange(found)).toBe(true);
        expect(nodeSeed(seed, name, Object.fromEntries(Object.entries(variant).reverse()))).toBe(found);
      }),
    );
  });

  it('is fixed for all time: these values are in the keys of stored results', () => {
    expect(nodeSeed(2018, 'train', {fold: 1, levels: 'h1+h2'})).toBe(536_474_478);
    expect(nodeSeed(2018, 'demo', {})).toBe(2_010_420_588);
    expect(sliceSeed(5, 'Bark/a')).toBe(461_834_563);
  });

  it('moves with the run seed, the name, each value, and the type of a value', () => {
    const seeds = [
      nodeSeed(1, 'a', {fold: 1}),
      nodeSeed(2, 'a', {fold: 1}),
      nodeSeed(1, 'b', {fold: 1}),
      nodeSeed(1, 'a', {fold: 2}),
      nodeSeed(1, 'a', {fold: '1'}),
      nodeSeed(1, 'a', {}),
    ];
    expect(new Set(seeds).size).toBe(seeds.length);
  });
});

describe('sliceSeed', () => {
  it('gives every item its own seed and leaves an unseeded stage unseeded', () => {
    expect(sliceSeed(0, 'a')).toBe(0);
    fc.assert(
      fc.property(fc.integer({min: 1, max: 0x7fffffff}), fc.string(), fc.string(), (seed, a, b) => {
        expect(inRange(sliceSeed(seed, a))).toBe(true);
        expect(sliceSeed(seed, a) === sliceSeed(seed, b)).toBe(a === b);
      }),
    );
  });
});
