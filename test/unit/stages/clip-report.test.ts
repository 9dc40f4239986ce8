import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import stage from '../../../stages/clip-report.ts';
import {readSkipped, type ClipReport} from '../../../stages/lib/audio/clip-report.ts';
import {runStage} from '../../support/stage-harness.ts';

const ok: Extract<ClipReport, {status: 'ok'}> = {
  type: 'clip-report/1',
  status: 'ok',
  container: 'wav',
  codec: 's16',
  sampleRate: 44_100,
  channels: 1,
  seconds: 2.5,
  trimmedSeconds: 0.25,
  peak: 0.5,
  silent: false,
};
const bad = (reason: string): ClipReport => ({type: 'clip-report/1', status: 'skipped', reason});

function filesOf(reports: Readonly<Record<string, ClipReport>>): {files: Record<string, string>} {
  const entries = Object.entries(reports).map(([key, report]) => [`${key}.json`, JSON.stringify(report)] as const);
  return {files: Object.fromEntries(entries)};
}

const mixed = {
  'dogs/a': ok,
  'dogs/b': {...ok, container: 'mpeg', codec: 'mp3', channels: 2, sampleRate: 16_000, seconds: 120, peak: 1},
  'dogs/c': {...ok, peak: 0, silent: true},
  'dogs/d': bad('the clip has no samples'),
  'dogs/e': bad('the clip is no sound: it looks like text, "or so"'),
};

describe('clip-report', () => {
  test('lists the clips and sums them up', async () => {
    const clips = {files: {'dogs/a.wav': '', 'dogs/b.WAV': '', 'dogs/c.dat': '', 'dogs/d.wav': '', 'dogs/e.wav': ''}};
    const inputs = {reports: filesOf(mixed), clips};
    const {outputs, logs, metrics} = await runStage(stage, {params: {onBadClip: 'skip'}, inputs});
    expect(readFileSync(outputs.clips, 'utf8')).toBe(
      [
        'key,status,reason,codec,sampleRate,channels,seconds,trimmedSeconds,peak',
        'dogs/a,ok,,s16,44100,1,2.5,0.25,0.5',
        'dogs/b,ok,,mp3,16000,2,120,0.25,1',
        'dogs/c,ok,,s16,44100,1,2.5,0.25,0',
        'dogs/d,skipped,the clip has no samples,,,,,,',
        'dogs/e,skipped,"the clip is no sound: it looks like text, ""or so""",,,,,,',
        '',
      ].join('\n'),
    );
    expect(readFileSync(outputs.summary, 'utf8')).toBe(
      [
        '3 clips, 2.1 min; 0.8 s of silence cut off',
        'codec:    s16 x 2, mp3 x 1',
        'rate:     44100 Hz x 2, 16000 Hz x 1',
        'channels: 1 x 2, 2 x 1',
        'skipped: 2',
        '  dogs/d: the clip has no samples',
        '  dogs/e: the clip is no sound: it looks like text, "or so"',
        'silent: 1',
        '  dogs/c',
        'wrongly named: 1',
        '  dogs/b.WAV: holds mp3 (mpeg)',
        '',
      ].join('\n'),
    );
    expect(logs).toEqual([
      'dogs/d: the clip has no samples',
      'dogs/e: the clip is no sound: it looks like text, "or so"',
    ]);
    expect(metrics).toEqual({clips: 5, skipped: 2});
  });

  test('the table says which clips were skipped, and why', async () => {
    const {outputs} = await runStage(stage, {params: {onBadClip: 'skip'}, inputs: {reports: filesOf(mixed)}});
    expect([...readSkipped(outputs.clips)]).toEqual([
      ['dogs/d', 'the clip has no samples'],
      ['dogs/e', 'the clip is no sound: it looks like text, "or so"'],
    ]);
  });

  test('fails with every bad clip named once', async () => {
    await expect(runStage(stage, {inputs: {reports: filesOf(mixed)}})).rejects.toThrow(
      '2 of 5 clips are bad\n  dogs/d: the clip has no samples\n  dogs/e: the clip is no sound',
    );
  });

  test('leaves the twenty-first and later to the log', async () => {
    const many = Object.fromEntries(
      Array.from({length: 25}, (_, i) => [`clip${10 + i}`, bad('the clip has no samples')]),
    );
    const failing = runStage(stage, {inputs: {reports: filesOf(many)}});
    await expect(failing).rejects.toThrow(/clip29: the clip has no samples\n {2}and 5 more, which the log names$/);
  });

  test('good clips fail nothing, and the summary has no empty sections', async () => {
    const {outputs} = await runStage(stage, {inputs: {reports: filesOf({a: ok})}});
    expect(readFileSync(outputs.summary, 'utf8')).toBe(
      '1 clip, 2.5 s; 0.3 s of silence cut off\ncodec:    s16 x 1\nrate:     44100 Hz x 1\nchannels: 1 x 1\n',
    );
  });

  test.each([
    ['{', 'no report of a clip'],
    ['{"type":"results/1"}', 'no report of a clip'],
    ['null', 'no report of a clip'],
  ])('refuses %s', async (text, message) => {
    await expect(runStage(stage, {inputs: {reports: {files: {'a.json': text}}}})).rejects.toThrow(
      `report a is ${message}`,
    );
  });

  test('refuses an empty tree', async () => {
    await expect(runStage(stage, {inputs: {reports: {files: {}}}})).rejects.toThrow('there are no reports of clips');
  });
});
