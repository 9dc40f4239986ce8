import {describe, expect, test} from 'vitest';
import {
  counterStream,
  counterUniform,
  counterWord,
  fillDropoutMask,
  glorotUniform,
} from '../../../../../stages/lib/tensors/counter-random.ts';

describe('counter streams', () => {
  test('have these words', () => {
    const stream = counterStream(1, 'h1/weights');
    expect([0, 1, 2, 2 ** 31].map((index) => counterWord(stream, index))).toMatchInlineSnapshot(`
      [
        4183028570,
        4111239891,
        1814467469,
        3397233290,
      ]
    `);
  });

  test('differ by seed, name and index', () => {
    const words = new Set<number>();
    for (const seed of [1, 2, 3]) {
      for (const name of ['a', 'b', 'ab']) {
        for (let i = 0; i < 1000; i++) words.add(counterWord(counterStream(seed, name), i));
      }
    }
    // 9,000 draws from 2^32 collide 0.009 times on average.
    expect(words.size).toBeGreaterThan(8_997);
  });

  test('are uniform: mean, variance, neighbours and another stream are as expected', () => {
    const [a, b] = [counterStream(7, 'a'), counterStream(7, 'b')];
    const n = 100_000;
    let [sum, squares, neighbours, across] = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const u = counterUniform(a, i) - 0.5;
      sum += u;
      squares += u * u;
      neighbours += u * (counterUniform(a, i + 1) - 0.5);
      across += u * (counterUniform(b, i) - 0.5);
    }
    // Five standard errors: sqrt(1/12), sqrt(1/180) and 1/12, divided by sqrt(n).
    expect(Math.abs(sum / n)).toBeLessThan((5 * Math.sqrt(1 / 12)) / Math.sqrt(n));
    expect(Math.abs(squares / n - 1 / 12)).toBeLessThan((5 * Math.sqrt(1 / 180)) / Math.sqrt(n));
    expect(Math.abs(neighbours / n)).toBeLessThan(5 / 12 / Math.sqrt(n));
    expect(Math.abs(across / n)).toBeLessThan(5 / 12 / Math.sqrt(n));
  });
});

test.each([0, 0.1, 0.4, 0.9])('a dropout mask of rate %d keeps the mean', (rate) => {
  const mask = new Float32Array(100_000);
  fillDropoutMask(mask, rate, counterStream(3, 'mask'));
  expect(new Set(mask)).toEqual(new Set(rate === 0 ? [1] : [0, Math.fround(1 / (1 - rate))]));
  const dropped = mask.filter((value) => value === 0).length / mask.length;
  expect(Math.abs(dropped - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / mask.length) + 1e-12);
});

test('glorotUniform stays within its limit and reaches for it', () => {
  const weights = glorotUniform(10_000, 100, 100, counterStream(1, 'w'));
  const limit = Math.sqrt(6 / 200);
  expect(Math.max(...weights)).toBeLessThanOrEqual(Math.fround(limit));
  expect(Math.max(...weights)).toBeGreaterThan(0.99 * limit);
  expect(Math.min(...weights)).toBeLessThan(-0.99 * limit);
});
