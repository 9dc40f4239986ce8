import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {logMel} from '../../../../../stages/lib/audio/mel.ts';
import {cutPieces} from '../../../../../stages/lib/experiment/pieces.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';

describe('cutPieces', () => {
  test.each([
    [1, 3, [[0, 0, 0]]],
    [2, 3, [[0, 1, 0]]],
    [3, 3, [[0, 1, 2]]],
    [4, 3, [[0, 1, 2]]],
    [
      5,
      3,
      [
        [0, 1, 2],
        [3, 4, 3],
      ],
    ],
    [
      3,
      2,
      [
        [0, 1],
        [2, 2],
      ],
    ],
    [2, 1, [[0], [1]]],
  ])('%i vectors in pieces of %i', (count, length, expected) => {
    expect(cutPieces(count, {length, long: 'split', short: 'repeat'})).toEqual(expected);
  });

  test('there is always a piece, and less than half a piece is lost', () => {
    fc.assert(
      fc.property(fc.integer({min: 1, max: 60}), fc.integer({min: 1, max: 12}), (count, length) => {
        const pieces = cutPieces(count, {length, long: 'split', short: 'repeat'});
        expect(pieces.length).toBeGreaterThan(0);
        const used = new Set(pieces.flat());
        expect([...used]).toEqual(Array.from(used, (_, i) => i));
        expect(2 * (count - used.size)).toBeLessThan(count >= length ? length : 1);
        for (const piece of pieces) expect(piece).toHaveLength(length);
      }),
    );
  });

  test('truncate keeps the first piece, zero leaves places open', () => {
    const cut = (count: number, long: 'split' | 'truncate', short: 'repeat' | 'zero') =>
      cutPieces(count, {length: 3, long, short});
    expect(cut(8, 'truncate', 'repeat')).toEqual([[0, 1, 2]]);
    expect(cut(2, 'truncate', 'repeat')).toEqual([[0, 1, 0]]);
    expect(cut(2, 'truncate', 'zero')).toEqual([[0, 1, undefined]]);
    expect(cut(5, 'split', 'zero')).toEqual([
      [0, 1, 2],
      [3, 4, undefined],
    ]);
    expect(cut(4, 'split', 'zero')).toEqual([[0, 1, 2]]);
  });

  test('cutting vectors is cutting the waveform at multiples of 960 ms', () => {
    const rng = createRng(3);
    const samples = Float64Array.from({length: 7 * PATCH_SAMPLES + 5000}, () => 0.3 * rng.normal());
    const whole = patchesOf(samples);
    expect(whole).toHaveLength(7);
    for (const [piece, places] of cutPieces(6, {length: 3, long: 'split', short: 'repeat'}).entries()) {
      const start = 3 * piece * PATCH_SAMPLES;
      const own = patchesOf(samples.slice(start, start + 3 * PATCH_SAMPLES + 240));
      expect(own).toHaveLength(3);
      for (const [i, place] of places.entries()) {
        const expected = whole[place ?? -1] as Float32Array;
        const differences = (own[i] as Float32Array).map((value, k) => Math.abs(value - (expected[k] as number)));
        expect(Math.max(...differences)).toBeLessThan(1e-5);
      }
    }
  });
});

const PATCH_SAMPLES = 15_360;

function patchesOf(samples: Float64Array): readonly Float32Array[] {
  const {frames, values} = logMel(samples, {
    sampleRate: 16_000,
    windowSeconds: 0.025,
    hopSeconds: 0.01,
    bands: 64,
    lowHz: 125,
    highHz: 7500,
    logOffset: 0.01,
  });
  return Array.from({length: Math.floor(frames / 96)}, (_, p) =>
    Float32Array.from(values.subarray(p * 96 * 64, (p + 1) * 96 * 64)),
  );
}
