import fc from 'fast-check';
import {expect, test} from 'vitest';
import {dequantizationTable, dequantize, quantize} from '../../../../../stages/lib/learning/quantize.ts';

const value = fc.double({min: -2, max: 2, noNaN: true});
/** Half of a step of 4 / 255, but that the published rule adds 4 / 512 instead of 4 / 510. */
const MOST = 4 / 255 - 4 / 512;
const ALL = Uint8Array.from({length: 256}, (_, q) => q);

test('quantize clips, maps to 0 ... 255 and truncates', () => {
  // (z + 2) * 63.75: -3 and -2 -> 0, 0 -> 127.5, 0.01 -> 128.1375, 1.99 -> 254.3625, 2 and 9 -> 255.
  const z = Float64Array.of(-Infinity, -3, -2, 0, 0.01, 1.99, 2, 9, Infinity);
  expect([...quantize(z)]).toEqual([0, 0, 0, 127, 128, 254, 255, 255, 255]);
});

test('quantize is monotone', () => {
  fc.assert(
    fc.property(fc.double({noNaN: true}), fc.double({noNaN: true}), (a, b) => {
      const [low = 0, high = 0] = quantize(Float64Array.of(Math.min(a, b), Math.max(a, b)));
      expect(low).toBeLessThanOrEqual(high);
    }),
  );
});

test('the rules as published', () => {
  const [unit, whitened] = [dequantizationTable('unit'), dequantizationTable('whitened')];
  expect([unit[0], unit[128], unit[255]]).toEqual([-1, 0, 127 / 128]);
  expect([whitened[0], whitened[255]]).toEqual([-2 + 4 / 512, 2 + 4 / 512]);
  expect((whitened[100] as number) - (whitened[99] as number)).toBeCloseTo(4 / 255, 14);
});

test('a byte taken back to its value gives the byte again', () => {
  expect(quantize(dequantizationTable('whitened'))).toEqual(ALL);
  expect(quantize(Float64Array.from(dequantize(ALL, 'whitened')))).toEqual(ALL);
  expect([...dequantize(ALL, 'unit')].map((x) => 128 * x + 128)).toEqual([...ALL]);
});

test('a value taken to a byte and back is off by half a step, and a second time not at all', () => {
  const back = (z: Float64Array): Float64Array =>
    dequantizationTable('whitened').filter((_, q) => q === quantize(z)[0]);
  fc.assert(
    fc.property(value, (z) => {
      const once = back(Float64Array.of(z));
      expect(Math.abs((once[0] as number) - z)).toBeLessThan(MOST + 1e-12);
      expect(back(once)).toEqual(once);
    }),
  );
});
