import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {BadClip} from '../../../../../stages/lib/audio/bad-clip.ts';
import {encodeWav} from '../../../../../stages/lib/audio/wav-write.ts';
import {readFloat32} from '../../../../../stages/lib/formats/npy.ts';
import type {Pca} from '../../../../../stages/lib/learning/pca.ts';
import {hearRecording, makePieces} from '../../../../../stages/lib/packages/front-end.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import logMel from '../../../../../stages/log-mel.ts';
import resampleTrim from '../../../../../stages/resample-trim.ts';
import {runStage, temporaryFolder} from '../../../../support/stage-harness.ts';

const waveform = {
  sampleRate: 16_000,
  trimDb: 60,
  trimPad: 'reflect',
  normalize: true,
  minSeconds: 0.975,
  resampler: 'sinc',
} as const;
const patches = {
  windowSeconds: 0.025,
  hopSeconds: 0.01,
  bands: 64,
  lowHz: 125,
  highHz: 7500,
  logOffset: 0.01,
  patchFrames: 96,
  patchHop: 96,
};

describe('hearRecording', () => {
  it.each([8000, 16_000, 44_100])(
    'makes the patches of resample-trim and log-mel, to the bit, at %i Hz',
    async (rate) => {
      const rng = createRng(rate);
      const channels = [0, 1].map(() => Float64Array.from({length: 3 * rate}, () => 0.5 * (2 * rng.uniform() - 1)));
      const content = encodeWav({sampleRate: rate, channels}, 'float64');
      const {outputs: made} = await runStage(resampleTrim, {inputs: {clip: {content}}});
      const {outputs} = await runStage(logMel, {inputs: {waveform: made.waveform}});
      const wanted = readFloat32(outputs.patches, 3);
      const heard = await hearRecording(written(content), {waveform, logMel: patches}, {});
      expect(heard).toMatchObject({seconds: 3, isSilent: false});
      expect([heard.patches.patches, 96, 64]).toEqual(wanted.shape);
      expect(
        Buffer.from(heard.patches.data.buffer, heard.patches.data.byteOffset, heard.patches.data.byteLength),
      ).toEqual(Buffer.from(wanted.data.buffer, wanted.data.byteOffset, wanted.data.byteLength));
    },
  );

  it('throws BadClip for a recording too short for a patch', async () => {
    const path = written(encodeWav({sampleRate: 16_000, channels: [Float64Array.of(0.1, 0.2, -0.1)]}, 'pcm16'));
    const heard = hearRecording(path, {waveform: {...waveform, minSeconds: 0}, logMel: patches}, {});
    await expect(heard).rejects.toThrow(BadClip);
  });
});

describe('makePieces', () => {
  /** Takes the two values as they are. */
  const pca: Pca = {size: 2, rows: Float64Array.of(1, 0, 0, 1), means: Float64Array.of(0, 0)};
  const segments = {length: 2, long: 'split', short: 'zero'} as const;

  it('cuts vectors to pieces', () => {
    const {shape, data} = makePieces(Float32Array.of(1, 2, 3, 4, 5, 6), 2, {segments}, undefined);
    expect(shape).toEqual([2, 2, 2]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6, 0, 0]);
  });

  it('fills with bytes 0 where bytes are what is trained on, and with zeros where their values are', () => {
    const vectors = Float32Array.of(0, 0);
    const unit = makePieces(vectors, 2, {segments, pca: {components: 1, bytesAs: 'unit'}}, pca);
    expect([...unit.data]).toEqual([-1 / 128, -1]);
    const whitened = makePieces(vectors, 2, {segments, pca: {components: 1, bytesAs: 'whitened'}}, pca);
    expect([...whitened.data]).toEqual([Math.fround((127 * 4) / 255 - 2 + 4 / 512), 0]);
  });

  it('makes whole recordings with several scales', () => {
    const whole = {...segments, pieces: 'whole', scales: [1, 2]} as const;
    const {shape, data} = makePieces(Float32Array.of(1, 2), 2, {segments: whole}, undefined);
    expect(shape).toEqual([1, 2, 4]);
    expect([...data]).toEqual([1, 2, 1, 2, 0, 0, 0, 0]);
    const unit = makePieces(Float32Array.of(0.01, 0), 2, {segments: whole, pca: {components: 1, bytesAs: 'unit'}}, pca);
    expect([...unit.data]).toEqual([0, 1 / 128, 0, 0]);
  });

  it('throws for a vector that is not finite', () => {
    expect(() => makePieces(Float32Array.of(1, NaN), 2, {segments}, undefined)).toThrow('not a finite number');
  });
});

function written(content: Uint8Array): string {
  const path = join(temporaryFolder(), 'clip.wav');
  writeFileSync(path, content);
  return path;
}
