import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, describe, expect, test, vi} from 'vitest';
import stage from '../../../stages/resample-trim.ts';
import {readClipReport} from '../../../stages/lib/audio/clip-report.ts';
import {encodeWav} from '../../../stages/lib/audio/wav-write.ts';
import {decodeWav} from '../../../stages/lib/audio/wav.ts';
import golden from '../../golden/audio/dsp.json' with {type: 'json'};
import {sharedData} from '../../support/shared-data.ts';
import {runStage, temporaryFolder} from '../../support/stage-harness.ts';

const clips = join(import.meta.dirname, '../../golden/audio/clips');
afterEach(() => void vi.unstubAllEnvs());

type Params = NonNullable<
  Parameters<typeof runStage<typeof stage.params, typeof stage.inputs, typeof stage.outputs>>[1]
>['params'];

async function waveformOf(clip: Uint8Array | string, params: Params = {}): Promise<Float64Array> {
  const input = typeof clip === 'string' ? clip : {content: clip};
  const {outputs} = await runStage(stage, {params: params ?? {}, inputs: {clip: input}});
  const sound = decodeWav(readFileSync(outputs.waveform));
  expect(sound.sampleRate).toBe(params?.sampleRate ?? 16_000);
  expect(sound.channels.length).toBe(1);
  return sound.channels[0]!;
}

const clipOf = (rate: number, ...channels: Float64Array[]): Uint8Array =>
  encodeWav({sampleRate: rate, channels}, 'float32');
const sine = (length: number, level = 0.5): Float64Array =>
  Float64Array.from({length}, (_, i) => level * Math.sin(0.2 * i));
const peak = (samples: Float64Array): number => samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

describe('resample-trim', () => {
  test('cuts silence, scales the peak to 1, resamples and repeats, in this order', async () => {
    const samples = new Float64Array(20_000);
    samples.set(sine(4096), 8192);
    const waveform = await waveformOf(clipOf(8000, samples), {minSeconds: 0});
    // Frames every 512 samples reach 1024 to each side: 7680 ... 13312 remain.
    expect(waveform.length).toBe(2 * (13_312 - 7680));
    expect(peak(waveform)).toBeGreaterThan(0.99);
    expect(peak(waveform)).toBeLessThan(1.1);
    const repeated = await waveformOf(clipOf(8000, samples), {minSeconds: 2});
    expect(repeated.length).toBe(32_000);
    expect(repeated.subarray(0, waveform.length)).toEqual(waveform);
    expect(repeated.subarray(waveform.length, 2 * waveform.length)).toEqual(waveform);
  });

  test('leaves sound at the right rate and level untouched', async () => {
    const samples = sine(16_000, 1);
    samples[100] = 1;
    expect(await waveformOf(clipOf(16_000, samples))).toEqual(samples.map(Math.fround));
  });

  test('a short clip is repeated to one log-mel patch by default', async () => {
    const waveform = await waveformOf(clipOf(16_000, sine(700)));
    expect(waveform.length).toBe(15_600);
    expect(waveform[700]).toBe(waveform[0]);
  });

  test('channels are averaged', async () => {
    const waveform = await waveformOf(clipOf(16_000, sine(16_000), new Float64Array(16_000)), {normalize: false});
    expect(peak(waveform)).toBeCloseTo(0.25, 4);
  });

  test('a silent clip stays silent and whole, and is no NaN', async () => {
    const waveform = await waveformOf(clipOf(16_000, new Float64Array(20_000)));
    expect(waveform).toEqual(new Float64Array(20_000));
  });

  test('reports what it cut', async () => {
    const {metrics} = await runStage(stage, {inputs: {clip: {content: clipOf(16_000, sine(16_000))}}});
    expect(metrics).toEqual({trimmedSeconds: 0, seconds: 1});
  });

  test('says what the clip is', async () => {
    const samples = new Float64Array(20_000);
    samples.set(sine(4096), 8192);
    const {outputs} = await runStage(stage, {inputs: {clip: {content: clipOf(8000, samples, samples)}}});
    expect(JSON.parse(readFileSync(outputs.report, 'utf8'))).toEqual({
      type: 'clip-report/1',
      status: 'ok',
      container: 'wav',
      codec: 'f32',
      sampleRate: 8000,
      channels: 2,
      seconds: 2.5,
      trimmedSeconds: (20_000 - 5632) / 8000,
      peak: Math.fround(peak(samples)),
      silent: false,
    });
  });

  test('decodes other kinds of files by their content', async () => {
    const flac = join(clips, 'stereo16.flac');
    expect(await waveformOf(flac)).toEqual(await waveformOf(join(clips, 'stereo.wav')));
    const {outputs} = await runStage(stage, {inputs: {clip: join(clips, 'mono.opus')}});
    expect(readClipReport(outputs.report, 'report')).toMatchObject({
      container: 'ogg',
      codec: 'opus',
      sampleRate: 48_000,
    });
  });

  test('says that a clip is silent', async () => {
    const clip = {content: clipOf(16_000, new Float64Array(20_000))};
    const {outputs, logs} = await runStage(stage, {inputs: {clip}});
    expect(readClipReport(outputs.report, 'report')).toMatchObject({status: 'ok', silent: true, peak: 0});
    expect(logs).toEqual(['the clip is silent']);
  });

  describe('a bad clip', () => {
    const truncated = {content: clipOf(8000, sine(1000)).subarray(0, 2000)};
    const message = 'the clip is truncated: the header says 4000 bytes of samples, the file has 1942';

    test('fails', async () => {
      await expect(runStage(stage, {inputs: {clip: truncated}})).rejects.toThrow(message);
    });

    test('can be skipped: there is a report and no waveform', async () => {
      const {outputs, logs, metrics} = await runStage(stage, {params: {onBadClip: 'skip'}, inputs: {clip: truncated}});
      expect(existsSync(outputs.waveform)).toBe(false);
      expect(readClipReport(outputs.report, 'report')).toEqual({
        type: 'clip-report/1',
        status: 'skipped',
        reason: message,
      });
      expect(logs).toEqual([`skipped: ${message}`]);
      expect(metrics).toEqual({});
    });

    test('that only this machine cannot read is not skipped', async () => {
      vi.stubEnv('PATH', temporaryFolder());
      const clip = join(clips, 'stereo.aiff');
      await expect(runStage(stage, {params: {onBadClip: 'skip'}, inputs: {clip}})).rejects.toThrow('needs ffmpeg');
    });
  });

  test('no length gives NaN, and the shortest clips give a waveform or are skipped', async () => {
    for (const length of [1, 2, 3, 100, 511, 512, 1024, 1025]) {
      for (const level of [0, 1e-40, 1e-6, 1]) {
        const clip = {content: clipOf(44_100, sine(length, level))};
        const {outputs} = await runStage(stage, {params: {onBadClip: 'skip'}, inputs: {clip}});
        if (!existsSync(outputs.waveform)) {
          expect(readClipReport(outputs.report, 'report').status).toBe('skipped');
          continue;
        }
        expect(decodeWav(readFileSync(outputs.waveform)).channels[0]!.length).toBe(15_600);
      }
    }
  });

  test('refuses a clip that has nothing left at the new rate', async () => {
    await expect(waveformOf(clipOf(44_100, sine(2)))).rejects.toThrow(
      'the clip is too short: 2 samples at 44100 Hz leave none at 16000 Hz',
    );
  });

  test('the same clip gives the same bytes', async () => {
    const clip = clipOf(44_100, sine(30_000));
    const runs = await Promise.all([1, 2].map(() => runStage(stage, {inputs: {clip: {content: clip}}})));
    const [a, b] = runs.map(({outputs}) => readFileSync(outputs.waveform));
    expect(a).toEqual(b);
  });

  const real = golden.clips.flatMap((clip) => {
    const path = sharedData(`fsdkaggle2018-clips/audio_train/${clip.file.split('/')[1]}`);
    return path === undefined ? [] : [{...clip, path}];
  });
  test.skipIf(real.length === 0)('gives the reference samples for real clips to 1e-7', async () => {
    for (const {path, resampled} of real) {
      const waveform = await waveformOf(path, {minSeconds: 0, resampler: 'resampy02'});
      expect(waveform.length).toBe(resampled.n);
      // The file holds float32: half a unit of its last place at 1 is 6e-8.
      for (const [i, at] of [0, 1, 100, 1000, 5000].entries()) {
        expect(Math.abs(waveform[at]! - resampled.s[i]!)).toBeLessThan(1e-7);
      }
      expect(Math.sqrt(waveform.reduce((sum, x) => sum + x * x, 0) / waveform.length)).toBeCloseTo(resampled.rms, 7);
      expect(peak(waveform)).toBeCloseTo(resampled.absmax, 6);
    }
  });
});
