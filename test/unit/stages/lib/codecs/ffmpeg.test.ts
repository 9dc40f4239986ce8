import {spawnSync} from 'node:child_process';
import {chmodSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {StageError} from 'mixdown/stage';
import {afterEach, describe, expect, test, vi} from 'vitest';
import {BadClip} from '../../../../../stages/lib/audio/bad-clip.ts';
import {decodeClip} from '../../../../../stages/lib/audio/decode.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const folder = join(import.meta.dirname, '../../../../golden/audio/clips');
const pathOf = (name: string): string => join(folder, name);
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(pathOf(name)));
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

afterEach(() => void vi.unstubAllEnvs());

/** Puts a program on the PATH, alone, that stands for ffmpeg: it says its version, and runs a line of shell for the rest. */
function standIn(line: string): void {
  const bin = temporaryFolder();
  writeFileSync(
    join(bin, 'ffmpeg'),
    `#!/bin/sh\nif [ "$1" = -version ]; then echo ffmpeg version 0; exit; fi\n${line}\n`,
  );
  chmodSync(join(bin, 'ffmpeg'), 0o755);
  vi.stubEnv('PATH', bin);
}

async function thrownBy(promise: Promise<unknown>): Promise<StageError> {
  return promise.then(
    () => expect.fail('nothing was thrown'),
    (error: unknown) => error as StageError,
  );
}

describe.skipIf(!hasFfmpeg)('with ffmpeg', () => {
  test('decodes AIFF to the exact samples, with a file and without', async () => {
    const {channels, sampleRate} = await decodeClip(bytesOf('stereo.wav'));
    const expected = {channels, sampleRate, codec: 'aiff', container: 'aiff'};
    const logs: string[] = [];
    expect(await decodeClip(bytesOf('stereo.aiff'), 'the clip', {log: (text) => void logs.push(text)})).toEqual(
      expected,
    );
    expect(logs).toEqual([expect.stringMatching(/^the clip looks like AIFF; decoded by ffmpeg version \S+$/)]);
    expect(await decodeClip(bytesOf('stereo.aiff'), 'the clip', {path: pathOf('stereo.aiff')})).toEqual(expected);
  });

  test('decodes M4A and ADPCM at their own rate, with their own channels', async () => {
    const m4a = await decodeClip(bytesOf('stereo.m4a'));
    expect([m4a.sampleRate, m4a.channels.length, m4a.container]).toEqual([44_100, 2, 'mp4']);
    expect(m4a.channels[0]!.length).toBeGreaterThanOrEqual(4410);
    const adpcm = await decodeClip(bytesOf('adpcm.wav'));
    expect([adpcm.sampleRate, adpcm.channels.length, adpcm.container]).toEqual([44_100, 1, 'wav']);
  });

  test.each(['stereo.m4a', 'stereo.aiff'])('a %s that is cut off is a bad clip', async (name) => {
    const error = await thrownBy(decodeClip(bytesOf(name).subarray(0, 1000)));
    expect(error).toBeInstanceOf(BadClip);
    expect(error.message).not.toContain('/');
  });

  test('bytes of no kind are a bad clip, too', async () => {
    const noise = Uint8Array.from({length: 3000}, (_, i) => (i * i * 31 + 1) % 251);
    expect(await thrownBy(decodeClip(noise))).toBeInstanceOf(BadClip);
  });
});

test('without ffmpeg the machine is at fault, not the clip', async () => {
  vi.stubEnv('PATH', temporaryFolder());
  const error = await thrownBy(decodeClip(bytesOf('stereo.aiff')));
  expect(error).toBeInstanceOf(StageError);
  expect(error).not.toBeInstanceOf(BadClip);
  expect(error.message).toBe(
    'the clip looks like AIFF, which needs ffmpeg, and ffmpeg does not run here: spawn ffmpeg ENOENT',
  );
  expect(error.hint).toContain('install ffmpeg');
});

test.each([
  ['has no decoder', 'echo "Decoder (codec wmav2) not found for input stream #0:0" >&2; exit 1'],
  ['lacks memory', 'echo "[aac @ 0x1] Cannot allocate memory" >&2; exit 1'],
  ['is killed', 'kill -9 $$'],
])('an ffmpeg that %s is not the clip’s fault', async (_, line) => {
  standIn(line);
  const error = await thrownBy(decodeClip(bytesOf('stereo.aiff')));
  expect(error).toBeInstanceOf(StageError);
  expect(error).not.toBeInstanceOf(BadClip);
});

test('an error of ffmpeg makes a bad clip, whatever it exits with', async () => {
  standIn('echo "[aac @ 0x55d] Input buffer exhausted in file:$9x" >&2');
  const error = await thrownBy(decodeClip(bytesOf('stereo.aiff')));
  expect(error).toBeInstanceOf(BadClip);
  expect(error.message).toContain('ffmpeg cannot read it without errors: Input buffer exhausted');
});

test('a codec that no ffmpeg has heard of is the clip’s fault', async () => {
  standIn('echo "Decoder (codec none) not found for input stream #0:0" >&2; exit 1');
  expect(await thrownBy(decodeClip(bytesOf('stereo.aiff')))).toBeInstanceOf(BadClip);
});

test('an abort ends ffmpeg', async () => {
  const controller = new AbortController();
  standIn('exec /usr/bin/tail -f /dev/null');
  const log = (): void => controller.abort(new Error('stop'));
  const decoding = decodeClip(bytesOf('stereo.aiff'), 'the clip', {signal: controller.signal, log});
  await expect(decoding).rejects.toThrow('stop');
});
