import fc from 'fast-check';
import {expect, test} from 'vitest';
import {compileKernel} from '../../../../../stages/lib/kernels/build.mjs';
import {lazyKernel} from '../../../../../stages/lib/kernels/kernel.ts';

interface LogarithmKernel {
  readonly memory: {readonly buffer: ArrayBuffer; grow(pages: number): number};
  logarithms(values: number, count: number): void;
}

const text = await compileKernel('logarithm');
const kernel = lazyKernel(/'(.*)'/.exec(text)![1]!)() as unknown as LogarithmKernel;
kernel.memory.grow(1);

function logarithms(numbers: readonly number[]): Float64Array {
  const values = new Float64Array(kernel.memory.buffer, 1024, 2 * Math.ceil(numbers.length / 2)).fill(1);
  values.set(numbers);
  kernel.logarithms(1024, values.length);
  return values.slice(0, numbers.length);
}

/** In units of the last place of the larger magnitude. */
function errorUlps(value: number, expected: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(expected), 2 ** -1000)));
  return Math.abs(value - expected) / 2 ** (exponent - 52);
}

test('agrees with Math.log to 2 units of the last place', () => {
  const exponents = fc.integer({min: -1022, max: 1023});
  const mantissas = fc.double({min: 1, max: 2, maxExcluded: true, noNaN: true});
  fc.assert(
    fc.property(fc.array(fc.tuple(exponents, mantissas), {minLength: 1, maxLength: 9}), (pairs) => {
      const numbers = pairs.map(([e, m]) => m * 2 ** e);
      const values = logarithms(numbers);
      for (const [i, number] of numbers.entries()) expect(errorUlps(values[i]!, Math.log(number))).toBeLessThan(2);
    }),
    {numRuns: 2000},
  );
});

test('holds near 1, where the result is small, and around sqrt(1/2) and sqrt(2), where the series changes', () => {
  const numbers = [1, Math.SQRT2, Math.SQRT1_2].flatMap((center) =>
    Array.from({length: 2001}, (_, i) => center * (1 + (i - 1000) * 1e-10)),
  );
  const values = logarithms(numbers);
  for (const [i, number] of numbers.entries()) expect(errorUlps(values[i]!, Math.log(number))).toBeLessThan(2);
  expect(Object.is(logarithms([1])[0], 0)).toBe(true);
});

test('gives NaN for infinity and NaN', () => {
  expect([...logarithms([Infinity, Number.NaN, 1])]).toEqual([Number.NaN, Number.NaN, 0]);
});
