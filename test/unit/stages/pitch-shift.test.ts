import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {pitchShift} from '../../../stages/lib/audio/pitch-shift.ts';
import {encodeWav} from '../../../stages/lib/audio/wav-write.ts';
import {decodeWav} from '../../../stages/lib/audio/wav.ts';
import stage from '../../../stages/pitch-shift.ts';
import {runStage, treeOf} from '../../support/stage-harness.ts';

const sine = Float64Array.from({length: 8000}, (_, i) => 0.5 * Math.cos(0.2 * i));
const wav = encodeWav({sampleRate: 16_000, channels: [sine]}, 'float32');

function shiftsOf(...semitones: readonly number[]): string {
  const copies = semitones.map((value) => ({
    name: `pitch${value < 0 ? '-' : '+'}${String(Math.abs(value)).padStart(2, '0')}`,
    semitones: value,
  }));
  return JSON.stringify({type: 'shifts/1', copies});
}

interface Options {
  readonly normalize?: boolean;
  readonly signal?: AbortSignal;
  readonly waveform?: Uint8Array;
}

async function copiesOf(shifts: string, {normalize = true, signal, waveform = wav}: Options = {}) {
  const result = await runStage(stage, {
    params: {normalize},
    inputs: {shifts: {content: shifts}, waveform: {content: waveform}},
    ...(signal && {signal}),
  });
  const {entries} = treeOf(result.outputs.waveform);
  return {...result, files: new Map(entries.map(({path, file}) => [path, readFileSync(file)]))};
}

/** The comment in a WAV file's INFO list. */
function commentIn(file: Buffer): string {
  const at = file.indexOf('ICMT', 0, 'latin1');
  expect(file.toString('latin1', at - 4, at)).toBe('INFO');
  return file.toString('latin1', at + 8, at + 8 + file.readUInt32LE(at + 4) - 1);
}

const peak = (samples: Float64Array): number => samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

describe('pitch-shift', () => {
  test('one file a copy, at the rate and of the length of the waveform, peak 1, the shift in its comment', async () => {
    const {files, metrics, progress} = await copiesOf(shiftsOf(5, -12));
    expect([...files.keys()]).toEqual(['pitch+05.wav', 'pitch-12.wav']);
    expect(metrics).toEqual({copies: 2});
    expect(progress).toEqual([0.5, 1]);
    for (const file of files.values()) {
      const {sampleRate, channels} = decodeWav(file);
      expect([sampleRate, channels.length, channels[0]!.length]).toEqual([16_000, 1, 8000]);
      expect(peak(channels[0]!)).toBe(1);
      expect(file.readUInt32LE(4)).toBe(file.length - 8);
    }
    expect(commentIn(files.get('pitch+05.wav')!)).toBe('pitch shift: +5 semitones');
    expect(commentIn(files.get('pitch-12.wav')!)).toBe('pitch shift: -12 semitones');
  });

  test('unnormalised copies are what the library gives', async () => {
    const {files} = await copiesOf(shiftsOf(3), {normalize: false});
    const expected = pitchShift(decodeWav(wav).channels[0]!, 3).map(Math.fround);
    expect(decodeWav(files.get('pitch+03.wav')!).channels[0]).toEqual(expected);
  });

  test('the same bytes again', async () => {
    const [first, second] = [await copiesOf(shiftsOf(7, -1)), await copiesOf(shiftsOf(7, -1))];
    expect([...first.files]).toEqual([...second.files]);
  });

  test('no copies make an empty folder', async () => {
    expect((await copiesOf(shiftsOf())).files.size).toBe(0);
  });

  test('silence stays silent', async () => {
    const waveform = encodeWav({sampleRate: 8000, channels: [new Float64Array(3000)]}, 'float32');
    const {files} = await copiesOf(shiftsOf(2), {waveform});
    expect(decodeWav(files.get('pitch+02.wav')!).channels[0]).toEqual(new Float64Array(3000));
  });

  test('what is wrong is said', async () => {
    await expect(copiesOf(shiftsOf(13))).rejects.toThrow('pitch+13; a copy is at most 12 semitones away');
    await expect(copiesOf('{}')).rejects.toThrow('shifts/1');
    await expect(copiesOf(shiftsOf(1), {waveform: wav.subarray(0, 20)})).rejects.toThrow('truncated');
  });

  test('a cancelled run makes no more copies', async () => {
    await expect(copiesOf(shiftsOf(1), {signal: AbortSignal.abort()})).rejects.toThrow('aborted');
  });
});
