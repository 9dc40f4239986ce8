import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {intervalOf, pitchShift} from '../../../../../stages/lib/audio/pitch-shift.ts';
import {decodeWav} from '../../../../../stages/lib/audio/wav.ts';
import golden from '../../../../golden/audio/dsp.json' with {type: 'json'};
import reference from '../../../../golden/audio/pitch-shift.json' with {type: 'json'};
import {textbookPitchShift, transform} from '../../../../support/phase-vocoder.ts';
import {sharedData} from '../../../../support/shared-data.ts';

const RATE = 16_000;
const INTERVALS = [-12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

const rms = (samples: Float64Array): number => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
const peak = (samples: Float64Array): number => samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const decibels = (ratio: number): number => 20 * Math.log10(ratio);

/** Cosines: a sound that its reflection continues smoothly, so the first frame holds the phases of all others. */
function tone(hertz: readonly number[], length = RATE, rate = RATE): Float64Array {
  return Float64Array.from({length}, (_, i) =>
    hertz.reduce((sum, f) => sum + Math.cos((2 * Math.PI * f * i) / rate) / hertz.length, 0),
  );
}

/** Whole numbers only, so the same everywhere: -1 ... 1. */
function noise(length: number): Float64Array {
  let state = 1;
  return Float64Array.from({length}, () => (state = (state * 48_271) % 0x7fffffff) / 2 ** 30 - 1);
}

/** Amplitude of a sine of `hertz` in the middle of the sound. */
function amplitudeAt(samples: Float64Array, hertz: number, rate = RATE): number {
  const [from, to] = [Math.floor(samples.length / 4), Math.floor((samples.length * 3) / 4)];
  let [re, im, total] = [0, 0, 0];
  for (let i = from; i < to; i++) {
    const weight = 1 - Math.cos((2 * Math.PI * (i - from)) / (to - from));
    const x = weight * (samples[i] as number);
    re += x * Math.cos((2 * Math.PI * hertz * i) / rate);
    im += x * Math.sin((2 * Math.PI * hertz * i) / rate);
    total += weight;
  }
  return (2 * Math.hypot(re, im)) / total;
}

/** Frequency of the largest amplitude within 40 cents of a guess. */
function pitchNear(samples: Float64Array, hertz: number): number {
  let [low, high] = [hertz * 2 ** (-40 / 1200), hertz * 2 ** (40 / 1200)];
  while (high / low > 1 + 1e-6) {
    const [a, b] = [low + (high - low) / 3, low + ((high - low) * 2) / 3];
    if (amplitudeAt(samples, a) < amplitudeAt(samples, b)) low = a;
    else high = b;
  }
  return Math.sqrt(low * high);
}

/** Sound of many kinds below 3500 Hz: partials that set in one after the other, silence between. */
function phrase(length: number, rate = RATE): Float64Array {
  const samples = new Float64Array(length);
  for (let note = 0; note * 4000 < length; note++) {
    for (let i = note * 4000; i < Math.min(length, note * 4000 + 3000); i++) {
      const t = (i - note * 4000) / rate;
      const fade = Math.sin((Math.PI * t * rate) / 3000) ** 2;
      for (const f of [180, 410, 1230, 2600, 3300]) {
        samples[i]! += 0.2 * fade * Math.cos(2 * Math.PI * (f + 37 * note) * t);
      }
    }
  }
  return samples;
}

describe('the phase vocoder', () => {
  test.each([-12, -7, -1, 5, 11, 12])(
    'does what the textbook does with angles: %i semitones',
    {timeout: 60_000},
    (semitones) => {
      const sound = phrase(11_000);
      const {length, up, down} = intervalOf(semitones);
      const expected = textbookPitchShift(sound, (up / down) * (2048 / length));
      const shifted = pitchShift(sound, semitones);
      const difference = shifted.map((x, i) => x - (expected[i] as number));
      // At the very ends the textbook's long sinc sees nothing beyond, where this one sees the rest of the windows.
      expect(decibels(rms(difference.subarray(300, -300)) / rms(expected))).toBeLessThan(-75);
      expect(decibels(rms(difference) / rms(expected))).toBeLessThan(-45);
    },
  );

  test.each(INTERVALS)('%i semitones move a sine to its place and keep its level', (semitones) => {
    const shifted = pitchShift(tone([440]), semitones);
    const wanted = 440 * 2 ** (semitones / 12);
    const found = pitchNear(shifted, wanted);
    expect(Math.abs(1200 * Math.log2(found / wanted))).toBeLessThan(0.1);
    expect(Math.abs(decibels(amplitudeAt(shifted, found)))).toBeLessThan(0.1);
    expect(shifted.length).toBe(RATE);
  });

  test.each(INTERVALS)('%i semitones keep a tone harmonic', (semitones) => {
    const partials = [300, 600, 900, 1200, 1500, 1800];
    const shifted = pitchShift(tone(partials), semitones);
    for (const f of partials) {
      const wanted = f * 2 ** (semitones / 12);
      const found = pitchNear(shifted, wanted);
      expect(Math.abs(1200 * Math.log2(found / wanted))).toBeLessThan(1);
      expect(Math.abs(decibels(amplitudeAt(shifted, found) * partials.length))).toBeLessThan(0.5);
    }
    expect(Math.abs(decibels(rms(shifted) / rms(tone(partials))))).toBeLessThan(0.5);
  });

  test('440 Hz up a fourth is 587.33 Hz, at another rate too', () => {
    const shifted = pitchShift(tone([440], 44_100, 44_100), 5);
    expect(pitchNear(shifted, (587.33 * RATE) / 44_100)).toBeCloseTo((587.33 * RATE) / 44_100, 2);
  });

  test.each(INTERVALS.filter((n) => n > 0))('%i semitones up leave no alias and keep the rest', (semitones) => {
    const ratio = 2 ** (semitones / 12);
    const nyquist = RATE / 2;
    const kept = (0.92 * nyquist) / ratio;
    const lost = (1.005 * nyquist) / ratio;
    expect(Math.abs(decibels(amplitudeAt(pitchShift(tone([kept]), semitones), kept * ratio)))).toBeLessThan(0.1);
    expect(decibels(rms(pitchShift(tone([lost]), semitones).subarray(4000, -4000)))).toBeLessThan(-80);
  });

  test('half the rate moves down with the rest', () => {
    expect(Math.abs(decibels(amplitudeAt(pitchShift(tone([RATE / 2]), -12), RATE / 4)))).toBeLessThan(0.5);
  });

  test.each([5, 12])('up and down again by %i keeps the envelope of the spectrum', (semitones) => {
    const sound = noise(4 * RATE);
    const before = bandPowers(sound, 8192, 32_768, RATE, 3);
    for (const first of [semitones, -semitones]) {
      const after = bandPowers(pitchShift(pitchShift(sound, first), -first), 8192, 32_768, RATE, 3);
      // Thirds of octaves from 500 Hz on that survive the way up. Noise loses level all over, as the phases of its bins part.
      const count = Math.floor(3 * Math.log2((0.9 * RATE) / 2 / 500 / 2 ** (semitones / 12)));
      const changes = after.slice(6, 6 + count).map((power, k) => power - (before[6 + k] as number));
      const mean = changes.reduce((sum, change) => sum + change, 0) / count;
      for (const change of changes) expect(Math.abs(change - mean)).toBeLessThan(3);
      expect(Math.abs(mean)).toBeLessThan(8);
    }
  });
});

/** Powers in dB of `parts` bands an octave, from 125 Hz on: see the README of the reference numbers. */
function bandPowers(samples: Float64Array, from: number, size: number, rate: number, parts: number): number[] {
  const hann = (i: number): number => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size);
  const {re, im} = transform(
    samples.slice(from, from + size).map((x, i) => x * hann(i)),
    new Float64Array(size),
    -1,
  );
  const powers = new Array<number>(Math.floor(parts * Math.log2(rate / 2 / 125))).fill(1e-12);
  for (let k = 1; k <= size / 2; k++) {
    const band = Math.floor(parts * Math.log2((k * rate) / size / 125));
    if (band in powers) powers[band]! += ((re[k] as number) ** 2 + (im[k] as number) ** 2) / size;
  }
  return powers.map((power) => 10 * Math.log10(power));
}

describe('what it is given', () => {
  test.each([0, 1, 2, 3, 100, 511, 512, 513, 1023, 1024, 1025, 2048, 3000])('%i samples stay as many', (length) => {
    const sound = noise(length);
    for (const semitones of [-12, -5, 0, 5, 12]) {
      const shifted = pitchShift(sound, semitones);
      expect(shifted.length).toBe(length);
      expect(shifted.every(Number.isFinite)).toBe(true);
      expect(length > 0 && shifted.every((x) => x === 0)).toBe(false);
    }
  });

  test.each([1, 2, 700, 1500])('%i samples are reflected as often as it takes', (length) => {
    const sound = tone([500], length);
    const {up, down, length: points} = intervalOf(-5);
    const expected = textbookPitchShift(sound, (up / down) * (2048 / points));
    const shifted = pitchShift(sound, -5);
    // A sinc that is cut off at both ends differs by some hundredths there.
    expect(rms(shifted.map((x, i) => x - (expected[i] as number)))).toBeLessThan(0.35 * rms(expected));
  });

  test('silence stays silence', () => {
    expect(pitchShift(new Float64Array(5000), 7)).toEqual(new Float64Array(5000));
  });

  test('a click in silence comes out finite, and silence around it stays', () => {
    const sound = new Float64Array(20_000);
    sound[10_000] = 1;
    const shifted = pitchShift(sound, -4);
    expect(shifted.every(Number.isFinite)).toBe(true);
    expect(peak(shifted.subarray(0, 7000))).toBe(0);
    expect(peak(shifted.subarray(7000, 13_000))).toBeGreaterThan(0.05);
  });

  test('0 semitones give an equal copy', () => {
    const sound = noise(3000);
    const copy = pitchShift(sound, 0);
    expect(copy).toEqual(sound);
    expect(copy).not.toBe(sound);
  });

  test.each([1e-300, 1e-120, 2 ** -40, 2 ** 100, 1e200])('a level of %d changes nothing but the level', (level) => {
    const sound = phrase(6000);
    const shifted = pitchShift(
      sound.map((x) => x * level),
      3,
    );
    const expected = pitchShift(sound, 3);
    expect(rms(shifted.map((x, i) => x / level - (expected[i] as number)))).toBeLessThan(1e-9);
  });

  test.each([Number.NaN, Infinity, -Infinity])('%d is refused', (value) => {
    const sound = noise(100);
    sound[50] = value;
    expect(() => pitchShift(sound, 3)).toThrow('finite');
  });

  test.each([13, -13, 0.5, Number.NaN])('%d semitones are refused', (semitones) => {
    expect(() => pitchShift(noise(100), semitones)).toThrow('whole semitones');
  });

  test('any sound comes out finite, as long as before, and twice the same', () => {
    const sample = fc.double({noNaN: true, min: -1e30, max: 1e30});
    fc.assert(
      fc.property(fc.array(sample, {maxLength: 3000}), fc.integer({min: -12, max: 12}), (list, semitones) => {
        const sound = Float64Array.from(list);
        const shifted = pitchShift(sound, semitones);
        expect(shifted.length).toBe(sound.length);
        expect(shifted.every(Number.isFinite)).toBe(true);
        pitchShift(noise(1000), -semitones);
        expect(pitchShift(sound, semitones)).toEqual(shifted);
      }),
      {numRuns: 60},
    );
  });

  test('the input is not changed', () => {
    const sound = noise(3000);
    pitchShift(sound, 4);
    expect(sound).toEqual(noise(3000));
  });

  test('the same bytes on every machine', () => {
    const hash = createHash('sha256');
    for (const semitones of INTERVALS) hash.update(new Uint8Array(pitchShift(noise(4000), semitones).buffer));
    expect(hash.digest('hex')).toBe('ffae895640c46516621a035891ffe4ebab1e3a350c035baa94fedca40f20f059');
  });
});

describe('intervals', () => {
  test.each(INTERVALS)('%i semitones: a fraction within 0.01 cent, three points a period', (semitones) => {
    const {length, up, down, stop} = intervalOf(semitones);
    const cents = 1200 * Math.log2((up / down) * (2048 / length));
    expect(Math.abs(cents - 100 * semitones)).toBeLessThan(0.01);
    expect(length).toBeGreaterThanOrEqual(3 * Math.min(stop, 1024));
    expect(length % 8).toBe(0);
    expect(length).toBeLessThanOrEqual(4096);
  });
});

interface Expected {
  readonly semitones: number;
  readonly rms: number;
  readonly absmax: number;
  /** Samples 5000, 10 000, 22 050, 33 333 and 40 000. */
  readonly s: readonly number[];
  readonly octaves?: readonly number[];
}

/** Clip and what becomes of its first second. */
const {plus5, minus7, plus12} = golden.pitch_shift;
const references: readonly (readonly [file: string, Expected])[] = [
  [golden.pitch_shift.file, {semitones: 5, ...plus5}],
  [golden.pitch_shift.file, {semitones: -7, ...minus7}],
  [golden.pitch_shift.file, {semitones: 12, ...plus12}],
  ...reference.clips.flatMap(({file, shifts}) => shifts.map((shift): [string, Expected] => [file, shift])),
];
const found = references.flatMap(([file, expected]) => {
  const path = sharedData(`fsdkaggle2018-clips/audio_train/${file.split('/')[1]}`);
  return path === undefined ? [] : [{file, path, expected}];
});

describe('reference numbers', () => {
  test('the peak of 440 Hz up 5, to the bin', () => {
    const shifted = pitchShift(tone([440], 44_100, 44_100), 5);
    const bin = 44_100 / 32_768;
    const around = Array.from({length: 21}, (_, i) => golden.pitch_shift.sine440_plus5_peak_hz + (i - 10) * bin);
    const sizes = around.map((hertz) => amplitudeAt(shifted.subarray(0, 32_768), hertz, 44_100));
    expect(Math.abs(sizes.indexOf(Math.max(...sizes)) - 10)).toBeLessThanOrEqual(1);
  });

  test.skipIf(found.length === 0)('of real clips', () => {
    for (const {path, expected} of found) {
      const sound = decodeWav(readFileSync(path)).channels[0]!.slice(0, 44_100);
      const result = pitchShift(sound, expected.semitones);
      expect(result.length).toBe(44_100);
      expect(Math.abs(rms(result) / expected.rms - 1)).toBeLessThan(1e-3);
      expect(Math.abs(peak(result) / expected.absmax - 1)).toBeLessThan(0.01);
      if (expected.octaves === undefined) continue;
      for (const [i, at] of [5000, 10_000, 22_050, 33_333, 40_000].entries()) {
        expect(Math.abs((result[at] as number) - (expected.s[i] as number))).toBeLessThan(0.01);
      }
      // The highest octave shows where each filter begins to fade.
      for (const [k, level] of bandPowers(result, 8192, 16_384, 44_100, 1).slice(0, 6).entries()) {
        expect(Math.abs(level - (expected.octaves[k] as number))).toBeLessThan(0.1);
      }
    }
  });
});
