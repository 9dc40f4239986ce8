import {describe, expect, test} from 'vitest';
import logMelStage from '../../../stages/log-mel.ts';
import resampleTrim from '../../../stages/resample-trim.ts';
import {readFloat32} from '../../../stages/lib/formats/npy.ts';
import {encodeWav, type WavEncoding} from '../../../stages/lib/audio/wav-write.ts';
import dsp from '../../golden/audio/dsp.json' with {type: 'json'};
import golden from '../../golden/audio/vggish-log-mel.json' with {type: 'json'};
import {directLogMel} from '../../support/log-mel-reference.ts';
import {sharedData} from '../../support/shared-data.ts';
import {runStage} from '../../support/stage-harness.ts';

const waveform = (samples: Float64Array, sampleRate = 16_000, encoding: WavEncoding = 'float32') => ({
  content: encodeWav({sampleRate, channels: [samples]}, encoding),
});
const sine = Float64Array.from({length: 48_000}, (_, k) => Math.sin(2 * Math.PI * 1000 * (k / 16_000)));

const VGGISH = {
  sampleRate: 16_000,
  windowSeconds: 0.025,
  hopSeconds: 0.01,
  bands: 64,
  lowHz: 125,
  highHz: 7500,
  logOffset: 0.01,
  patchFrames: 96,
  patchHop: 96,
};

function largestDifference(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(values.length).toBe(expected.length);
  return Array.from(values).reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!)), 0);
}

function moments(values: Float32Array): [number, number] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)];
}

describe('log-mel', () => {
  test('gives the reference patches of a sine to 1e-6', async () => {
    const {outputs, metrics} = await runStage(logMelStage, {inputs: {waveform: waveform(sine, 16_000, 'float64')}});
    const {shape, data} = readFloat32(outputs.patches, 3);
    expect(shape).toEqual(golden.smoke.examples_shape);
    expect(metrics).toEqual({patches: 3});
    const rows: [number, number[]][] = [
      [0, golden.smoke.first_frame],
      [96 + 50, golden.smoke.ex1_frame50],
    ];
    for (const [frame, expected] of rows) {
      for (const [band, value] of expected.entries()) {
        expect(Math.abs(data[frame * 64 + band]! - value)).toBeLessThan(1e-6);
      }
    }
  });

  test('a patch starts every patchHop frames', async () => {
    const samples = Float64Array.from({length: 40_000}, (_, i) => Math.sin(i * i * 1e-5));
    const run = async (patchHop: number) =>
      readFloat32(
        (await runStage(logMelStage, {params: {patchHop}, inputs: {waveform: waveform(samples)}})).outputs.patches,
      );
    const [apart, overlapping] = [await run(96), await run(48)];
    expect(apart.shape).toEqual([2, 96, 64]);
    expect(overlapping.shape).toEqual([4, 96, 64]);
    const size = 96 * 64;
    expect(overlapping.data.subarray(2 * size, 3 * size)).toEqual(apart.data.subarray(size));
    expect(overlapping.data.subarray(size, 1.5 * size)).toEqual(apart.data.subarray(size / 2, size));
  });

  test.each([
    ['0.24 s', {patchFrames: 24, patchHop: 24}, [20, 24, 64]],
    ['0.48 s', {patchFrames: 48, patchHop: 48}, [10, 48, 64]],
    ['1.92 s', {patchFrames: 192, patchHop: 192}, [2, 192, 64]],
    ['1.92 s, every 0.96 s', {patchFrames: 192, patchHop: 96}, [4, 192, 64]],
    ['one frame', {patchFrames: 1, patchHop: 1}, [498, 1, 64]],
    ['0.96 s of longer frames', {windowSeconds: 0.05, hopSeconds: 0.02, patchFrames: 48, patchHop: 48}, [5, 48, 64]],
    [
      '0.96 s of shorter frames',
      {windowSeconds: 0.01, hopSeconds: 0.005, patchFrames: 192, patchHop: 192, bands: 32},
      [5, 192, 32],
    ],
  ])('patches of %s hold the frames at their place', async (_, scale, expected) => {
    // 5 s: 498 frames of the usual kind, 248 and 999 of the other two.
    const samples = Float64Array.from({length: 80_000}, (__, i) => Math.sin(i * i * 1e-5));
    const {outputs} = await runStage(logMelStage, {
      params: scale,
      inputs: {waveform: waveform(samples, 16_000, 'float64')},
    });
    const {shape, data} = readFloat32(outputs.patches, 3);
    expect(shape).toEqual(expected);
    const {patchFrames, patchHop, bands, windowSeconds, hopSeconds} = {...VGGISH, ...scale};
    const [window, hop] = [windowSeconds * 16_000, hopSeconds * 16_000];
    for (let patch = 0; patch < shape[0]!; patch += Math.ceil(shape[0]! / 5)) {
      for (const frame of [0, patchFrames - 1]) {
        const start = (patch * patchHop + frame) * hop;
        const piece = samples.subarray(start, start + window);
        const [row] = directLogMel(piece, {...VGGISH, ...scale}, window, hop);
        const at = (patch * patchFrames + frame) * bands;
        expect(largestDifference(data.subarray(at, at + bands), row!)).toBeLessThan(5e-7);
      }
    }
  });

  test('as YAMNet takes them: offset 0.001, a patch every 0.48 s', async () => {
    const samples = Float64Array.from({length: 16_000 * 2}, (_, i) => 0.3 * Math.sin(i * i * 1e-5));
    const inputs = {waveform: waveform(samples, 16_000, 'float64')};
    const {outputs} = await runStage(logMelStage, {params: {logOffset: 0.001, patchHop: 48}, inputs});
    const {shape, data} = readFloat32(outputs.patches, 3);
    expect(shape).toEqual([3, 96, 64]);
    const frames = directLogMel(samples, {...VGGISH, logOffset: 0.001}, 400, 160);
    const patches = [0, 48, 96].flatMap((first) => frames.slice(first, first + 96).flat());
    expect(largestDifference(data, patches)).toBeLessThan(5e-7);
  });

  test('0.975 s make one patch; a sample less makes a message that says what to do', async () => {
    const run = (length: number) => runStage(logMelStage, {inputs: {waveform: waveform(sine.subarray(0, length))}});
    expect((await run(15_600)).metrics).toEqual({patches: 1});
    await expect(run(15_599)).rejects.toMatchObject({
      name: 'StageError',
      message: 'the waveform is too short for one patch: 15599 samples (0.975 s), 96 frames need 15600 (0.975 s)',
      hint: 'set minSeconds of stage resample-trim to 0.975 or more: it repeats short clips',
    });
  });

  test.each([
    [{}, 22_050, 'the waveform has 22050 Hz; 16000 Hz is needed'],
    [
      {patchFrames: 384},
      16_000,
      'the waveform is too short for one patch: 48000 samples (3.000 s), 384 frames need 61680 (3.855 s)',
    ],
    [{lowHz: 7500}, 16_000, 'lowHz is 7500, highHz is 7500: lowHz must be the smaller one'],
    [{highHz: 8001}, 16_000, 'highHz is 8001; sound at 16000 Hz ends at 8000 Hz'],
    [{hopSeconds: 1e-6}, 16_000, 'hopSeconds 0.000001 is less than one sample at 16000 Hz'],
    [{windowSeconds: 1e-4}, 16_000, 'windowSeconds 0.0001 is less than three samples at 16000 Hz'],
  ])('%j at %i Hz: %s', async (params, rate, message) => {
    await expect(runStage(logMelStage, {params, inputs: {waveform: waveform(sine, rate)}})).rejects.toThrow(message);
  });

  const clips = dsp.clips.flatMap((clip) => {
    const path = sharedData(`fsdkaggle2018-clips/audio_train/${clip.file.split('/')[1]}`);
    return path === undefined || clip.logmel_mean === null ? [] : [{...clip, path}];
  });
  test.skipIf(clips.length === 0)('with resample-trim, gives the reference numbers of real clips to 1e-5', async () => {
    for (const clip of clips) {
      const params = {resampler: 'resampy02'} as const;
      const {outputs: sound} = await runStage(resampleTrim, {params, inputs: {clip: clip.path}});
      const {outputs} = await runStage(logMelStage, {inputs: {waveform: sound.waveform}});
      const {shape, data} = readFloat32(outputs.patches, 3);
      expect(shape).toEqual([clip.logmel_examples, 96, 64]);
      const [mean, std] = moments(data);
      expect(Math.abs(mean - clip.logmel_mean)).toBeLessThan(1e-6);
      expect(Math.abs(std - clip.logmel_std)).toBeLessThan(1e-6);
      for (const [band, value] of clip.logmel_ex0_frame0_first8.entries()) {
        expect(Math.abs(data[band]! - value)).toBeLessThan(1e-5);
      }
    }
  });
});
