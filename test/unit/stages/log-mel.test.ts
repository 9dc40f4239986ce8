import {describe, expect, test} from 'vitest';
import logMelStage from '../../../stages/log-mel.ts';
import resampleTrim from '../../../stages/resample-trim.ts';
import {readFloat32} from '../../../stages/lib/npy.ts';
import {encodeWav, type WavEncoding} from '../../../stages/lib/wav-write.ts';
import dsp from '../../golden/audio/dsp.json' with {type: 'json'};
import golden from '../../golden/audio/vggish-log-mel.json' with {type: 'json'};
import {sharedData} from '../../support/shared-data.ts';
import {runStage} from '../../support/stage-harness.ts';

const waveform = (samples: Float64Array, sampleRate = 16_000, encoding: WavEncoding = 'float32') => ({
  content: encodeWav({sampleRate, channels: [samples]}, encoding),
});
const sine = Float64Array.from({length: 48_000}, (_, k) => Math.sin(2 * Math.PI * 1000 * (k / 16_000)));

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
      const {outputs: sound} = await runStage(resampleTrim, {inputs: {clip: clip.path}});
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
