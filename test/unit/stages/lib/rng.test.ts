import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {createRng, philox4x32, type Words} from '../../../../stages/lib/rng.ts';

const draw = (n: number, next: () => number): number[] => Array.from({length: n}, next);

describe('philox4x32', () => {
  // Known-answer vectors of the Random123 distribution (kat_vectors, philox4x32 with 10 rounds).
  test.each<[Words, [number, number], Words]>([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('counter %j, key %j', (counter, [key0, key1], expected) => {
    expect(philox4x32(counter, key0, key1)).toEqual(expected);
  });
});

describe('createRng', () => {
  test('the same seed gives the same numbers, another seed others', () => {
    const first = draw(50, createRng(7).uniform);
    expect(draw(50, createRng(7).uniform)).toEqual(first);
    expect(draw(50, createRng(8).uniform)).not.toEqual(first);
    expect(draw(50, createRng(7 + 2 ** 32).uniform)).not.toEqual(first);
  });

  test('a fork depends on seed and label only', () => {
    const used = createRng(7);
    draw(13, used.uniform);
    expect(draw(5, used.fork('a').uniform)).toEqual(draw(5, createRng(7).fork('a').uniform));
    const streams = [
      createRng(7),
      createRng(7).fork('a'),
      createRng(7).fork('b'),
      createRng(7).fork(1),
      createRng(7).fork('1'),
    ];
    expect(new Set(streams.map((rng) => rng.uniform())).size).toBe(5);
  });

  test('uniform and normal numbers have the moments they should', () => {
    const rng = createRng(1);
    const uniform = draw(40_000, rng.uniform);
    const normal = draw(40_000, rng.normal);
    const mean = (x: number[]) => x.reduce((a, b) => a + b) / x.length;
    const power = (x: number[], k: number) => mean(x.map((v) => v ** k));
    // Four standard errors of each estimate.
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(0.006);
    expect(Math.abs(power(uniform, 2) - 1 / 3)).toBeLessThan(0.006);
    expect(Math.abs(mean(normal))).toBeLessThan(0.02);
    expect(Math.abs(power(normal, 2) - 1)).toBeLessThan(0.03);
    expect(Math.abs(power(normal, 4) - 3)).toBeLessThan(0.2);
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
  });

  test('integer covers its range evenly', () => {
    const rng = createRng(3);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) counts[rng.integer(6)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    // Without rejection a third of this range would come twice as often.
    const low = Array.from({length: 6000}, () => rng.integer(3 * 2 ** 30)).filter((value) => value < 2 ** 30).length;
    expect(Math.abs(low - 2000)).toBeLessThan(200);
    expect(rng.integer(1)).toBe(0);
    expect(rng.integer(2 ** 32)).toBeLessThan(2 ** 32);
    for (const bad of [0, -1, 1.5, Number.NaN, 2 ** 33]) expect(() => rng.integer(bad)).toThrow(RangeError);
  });

  test('shuffle keeps the items and leaves its argument alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
        const before = [...items];
        const after = createRng(seed).shuffle(items);
        expect(items).toEqual(before);
        expect([...after].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
      }),
    );
    const places = new Array<number>(4).fill(0);
    for (let seed = 0; seed < 4000; seed++) places[createRng(seed).shuffle([0, 1, 2, 3]).indexOf(0)]! += 1;
    for (const count of places) expect(Math.abs(count - 1000)).toBeLessThan(110);
  });

  test('a seed is a whole number from 0', () => {
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => createRng(bad)).toThrow(RangeError);
  });
});
