import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {trimSilence} from '../../../../../stages/lib/audio/trim.ts';
import {decodeWav, mixToMono} from '../../../../../stages/lib/audio/wav.ts';
import golden from '../../../../golden/audio/dsp.json' with {type: 'json'};
import {sharedData} from '../../../../support/shared-data.ts';

/** librosa 0.6, word for word: pad the whole clip, then look at each frame. */
function reference(samples: readonly number[], trimDb: number, pad: 'reflect' | 'zero'): [number, number] {
  let padded = [...samples];
  if (pad === 'zero') padded = [...new Array<number>(1024).fill(0), ...samples, ...new Array<number>(1024).fill(0)];
  else {
    // numpy.pad: as much as one reflection gives, again and again.
    let left = 1024;
    let right = 1024;
    while (left > 0 || right > 0) {
      const span = Math.max(1, padded.length - 1);
      const front = samples.length === 1 ? [samples[0]!] : padded.slice(1, 1 + Math.min(left, span)).toReversed();
      const back = samples.length === 1 ? [samples[0]!] : padded.slice(-1 - Math.min(right, span), -1).toReversed();
      padded = [...(left > 0 ? front : []), ...padded, ...(right > 0 ? back : [])];
      left -= Math.min(left, front.length);
      right -= Math.min(right, back.length);
    }
  }
  const powers: number[] = [];
  for (let start = 0; start + 2048 <= padded.length; start += 512) {
    powers.push(padded.slice(start, start + 2048).reduce((sum, x) => sum + x * x, 0) / 2048);
  }
  const decibels = (power: number): number => 10 * Math.log10(Math.max(1e-10, power));
  const loud = powers.map((power) => decibels(power) - decibels(Math.max(...powers)) > -trimDb);
  return [loud.indexOf(true) * 512, Math.min(samples.length, (loud.lastIndexOf(true) + 1) * 512)];
}

describe('trimSilence', () => {
  test('agrees with a literal transcription, for short clips too', () => {
    const part = fc.record({length: fc.nat({max: 1500}), level: fc.constantFrom(0, 1e-6, 1e-4, 0.01, 1)});
    fc.assert(
      fc.property(
        fc.array(part, {minLength: 1, maxLength: 5}).filter((parts) => parts.some(({length}) => length > 0)),
        fc.constantFrom(20, 60, 90),
        fc.constantFrom('reflect' as const, 'zero' as const),
        (parts, trimDb, pad) => {
          const samples = parts.flatMap(({length, level}) => Array.from({length}, (_, i) => level * Math.cos(i * i)));
          const {start, end} = trimSilence(Float64Array.from(samples), trimDb, pad);
          expect([start, end]).toEqual(reference(samples, trimDb, pad));
          expect(end).toBeGreaterThan(start);
        },
      ),
      {numRuns: 150},
    );
  });

  test.each(['reflect', 'zero'] as const)('keeps a silent clip whole (%s)', (pad) => {
    for (const length of [1, 2, 511, 512, 5000]) {
      const {start, end} = trimSilence(new Float64Array(length), 60, pad);
      expect(start).toBe(0);
      expect(end).toBe(Math.min(length, 512 * (1 + Math.floor(length / 512))));
    }
  });

  test('cuts silence at both ends to within a frame', () => {
    const samples = new Float64Array(40_000);
    for (let i = 10_000; i < 30_000; i++) samples[i] = Math.sin(i);
    const {start, end} = trimSilence(samples, 60, 'reflect');
    expect(start).toBeGreaterThan(10_000 - 2048);
    expect(start).toBeLessThanOrEqual(10_000);
    expect(end).toBeGreaterThanOrEqual(30_000);
    expect(end).toBeLessThan(30_000 + 2048);
  });

  const folder = sharedData('fsdkaggle2018-clips/audio_train');
  const clips = golden.clips.map((clip) => ({
    ...clip,
    path: sharedData(`fsdkaggle2018-clips/audio_train/${clip.file.split('/')[1]}`),
  }));
  test.skipIf(folder === undefined)('gives the reference ranges for real clips', () => {
    const present = clips.filter((clip) => clip.path !== undefined);
    expect(present.length).toBeGreaterThan(0);
    for (const clip of present) {
      const mono = mixToMono(decodeWav(readFileSync(clip.path!)));
      const range = (trimDb: number, pad: 'reflect' | 'zero'): number[] =>
        Object.values(trimSilence(mono, trimDb, pad));
      expect([mono.length, range(60, 'reflect'), range(60, 'zero'), range(30, 'reflect')]).toEqual([
        clip.n,
        clip.trim,
        clip.trim_zeropad,
        clip.trim30,
      ]);
    }
  });
});
