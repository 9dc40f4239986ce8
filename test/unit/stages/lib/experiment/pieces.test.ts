import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {logMel} from '../../../../../stages/lib/audio/mel.ts';
import {clipPieces, cutPieces} from '../../../../../stages/lib/experiment/pieces.ts';
import {multiScale} from '../../../../../stages/lib/experiment/scales.ts';
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

describe('clipPieces', () => {
  const rule = {length: 3, long: 'split', short: 'repeat', pieces: 'whole'} as const;
  const bytes = (...values: number[]) => Uint8Array.from(values);
  const whole = (data: Uint8Array | Float32Array) => clipPieces(data, 2, rule).pieces.map((piece) => [...piece]);

  test('whole: one piece a clip, masked at its end, or its first vectors', () => {
    expect(whole(bytes(1, 2, 3, 4))).toEqual([[1, 2, 3, 4, 128, 128]]);
    expect(whole(bytes(1, 2, 3, 4, 5, 6))).toEqual([[1, 2, 3, 4, 5, 6]]);
    expect(whole(bytes(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))).toEqual([[1, 2, 3, 4, 5, 6]]);
    expect(whole(Float32Array.of(1, 2))).toEqual([[1, 2, 0, 0, 0, 0]]);
  });

  test('whole: a vector of the clip is never masked', () => {
    const clip = bytes(128, 128, 128, 1, 128, 128);
    expect(whole(clip)).toEqual([[128, 129, 128, 1, 128, 129]]);
    expect([...clip]).toEqual([128, 128, 128, 1, 128, 128]);
    expect(whole(Float32Array.of(0, 0, 0, 1))).toEqual([[0, Math.fround(1e-20), 0, 1, 0, 0]]);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(127, 128, 129), {minLength: 2, maxLength: 8}), (values) => {
        const vectors = Math.floor(values.length / 2);
        const [piece = []] = whole(bytes(...values.slice(0, 2 * vectors)));
        const isMasked = [0, 1, 2].map((i) => piece[2 * i] === 128 && piece[2 * i + 1] === 128);
        expect(isMasked).toEqual([0, 1, 2].map((i) => i >= vectors));
      }),
    );
    expect([...(clipPieces(clip, 2, {...rule, pieces: 'cut'}).pieces[0] ?? [])]).toEqual([...clip]);
  });

  test('scales are seen over the whole clip, before it is cut, and count for what is masked', () => {
    const cut = clipPieces(bytes(10, 20, 30, 40), 1, {...rule, length: 2, pieces: 'cut', scales: [1, 3]});
    expect(cut.width).toBe(2);
    expect(cut.pieces.map((piece) => [...piece])).toEqual([
      [10, 15, 20, 20],
      [30, 30, 40, 35],
    ]);
    const {pieces} = clipPieces(bytes(127, 128, 129), 1, {...rule, length: 4, scales: [1, 3]});
    expect(pieces.map((piece) => [...piece])).toEqual([[127, 128, 128, 129, 129, 129, 128, 128]]);
  });
});

describe('multiScale', () => {
  test('means over windows that end with the clip; an even one has more after than before', () => {
    const clip = Float32Array.of(1, 2, 4, 8, 16);
    const by = (scale: number) => [...multiScale(clip, 1, [scale])];
    expect(by(1)).toEqual([1, 2, 4, 8, 16]);
    expect(by(2)).toEqual([1.5, 3, 6, 12, 16]);
    expect(by(3)).toEqual([1.5, 7 / 3, 14 / 3, 28 / 3, 12].map(Math.fround));
    expect(by(4)).toEqual([7 / 3, 3.75, 7.5, 28 / 3, 12].map(Math.fround));
    expect(by(100)).toEqual([31 / 5, 31 / 5, 31 / 5, 31 / 5, 31 / 5].map(Math.fround));
  });

  test('vectors keep their values together, a scale after the other', () => {
    expect([...multiScale(Float32Array.of(0, 10, 2, 20), 2, [2, 1])]).toEqual([1, 15, 0, 10, 2, 20, 2, 20]);
  });

  test('means of bytes are within half a step, halves up', () => {
    expect([...multiScale(Uint8Array.of(1, 2, 2), 1, [2])]).toEqual([2, 2, 2]);
    fc.assert(
      fc.property(fc.uint8Array({minLength: 1, maxLength: 12}), fc.integer({min: 1, max: 14}), (clip, scale) => {
        const exact = multiScale(Float32Array.from(clip), 1, [scale]);
        for (const [i, byte] of multiScale(clip, 1, [scale]).entries()) {
          expect(Math.abs(byte - (exact[i] ?? NaN))).toBeLessThan(0.50001);
        }
      }),
    );
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
