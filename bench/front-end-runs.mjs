// The two front ends as child processes, and their clips: what front-end.mjs and log-mel.mjs share.
import {spawnSync} from 'node:child_process';
import {closeSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {buildSync} from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * @typedef {Record<string, number>} Parts processor seconds of each part of the work
 * @typedef {{seconds: number, passes: readonly Parts[], cpuSeconds: number, wallSeconds: number, rssMiB: number}} Run
 * `seconds` of sound in one pass; the other figures are of the whole process.
 * @typedef {(passes: number, clips: readonly string[]) => Run} FrontEnd
 */

/**
 * Prepares both front ends; they write to `ours` and `peer` under `root`. `python` is a Python with numpy and scipy; the peer
 * resamples by one of the filters that front_end.py names.
 *
 * @param {string} root
 * @param {string} python
 * @returns {{ours: FrontEnd, peer: (filter: string) => FrontEnd}}
 */
export function frontEnds(root, python) {
  const code = join(root, 'front-end.mjs');
  buildSync({
    entryPoints: [join(here, 'front-end-pass.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    alias: {'mixdown/stage': join(here, '../src/stage-api.ts')},
    outfile: code,
    logLevel: 'error',
  });
  if (!existsSync(join(root, 'node_modules'))) symlinkSync(join(here, '../node_modules'), join(root, 'node_modules'));
  for (const folder of ['ours', 'peer']) mkdirSync(join(root, folder), {recursive: true});
  return {
    ours: (passes, clips) => runChild([process.execPath, code, `${passes}`, join(root, 'ours'), ...clips]),
    peer: (filter) => (passes, clips) =>
      runChild([python, join(here, 'front_end.py'), `${passes}`, join(root, 'peer'), filter, ...clips]),
  };
}

/**
 * @param {readonly string[]} command
 * @returns {Run}
 */
function runChild(command) {
  const before = process.hrtime.bigint();
  const child = spawnSync('/usr/bin/time', ['-f', '%U %S %M', ...command], {encoding: 'utf8', cwd: join(here, '..')});
  const wallSeconds = Number(process.hrtime.bigint() - before) / 1e9;
  if (child.status !== 0) throw new Error(`${command.slice(0, 4).join(' ')} failed:\n${child.stderr}`);
  const [user = 0, system = 0, kib = 0] = (child.stderr.trimEnd().split('\n').at(-1) ?? '').split(' ').map(Number);
  return {...JSON.parse(child.stdout), cpuSeconds: user + system, wallSeconds, rssMiB: kib / 1024};
}

/**
 * Writes a 16-bit WAV file of gliding tones and noise, with silence at both ends.
 *
 * @param {string} path
 * @param {{seconds: number, sampleRate: number, channels: number}} format
 */
export function writeSound(path, {seconds, sampleRate, channels}) {
  const frames = Math.round(seconds * sampleRate);
  const header = Buffer.alloc(44);
  header.write('RIFF');
  header.writeUInt32LE(36 + 2 * channels * frames, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(2 * channels * frames, 40);
  const file = openSync(path, 'w');
  writeSync(file, header);
  let state = 1;
  for (let start = 0; start < frames; start += sampleRate) {
    const samples = new Int16Array(channels * Math.min(sampleRate, frames - start));
    for (let i = 0; i < samples.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const t = (start + Math.floor(i / channels)) / sampleRate;
      const isQuiet = t < 0.25 || t > seconds - 0.25;
      const tone = Math.sin(2 * Math.PI * (300 + 200 * Math.sin(t)) * t) + (i % channels) * Math.sin(5000 * t);
      if (!isQuiet) samples[i] = 8000 * tone + (state / 2 ** 32 - 0.5) * 4000;
    }
    writeSync(file, new Uint8Array(samples.buffer));
  }
  closeSync(file);
}

/**
 * The patches both wrote for the first `clips` clips: the largest difference of a value, and the root of the mean square.
 *
 * @param {string} root
 * @param {number} clips
 */
export function compareOutputs(root, clips) {
  let largest = 0;
  let squares = 0;
  let count = 0;
  for (let clip = 0; clip < clips; clip++) {
    const [ours, peer] = ['ours', 'peer'].map((folder) => readValues(join(root, folder, `${clip}.npy`)));
    if (ours === undefined || ours.length !== peer?.length) throw new Error(`clip ${clip}: different shapes`);
    for (const [i, value] of ours.entries()) {
      const difference = Math.abs(value - (peer[i] ?? 0));
      largest = Math.max(largest, difference);
      squares += difference * difference;
    }
    count += ours.length;
  }
  return {largest, rms: Math.sqrt(squares / count)};
}

/** @param {string} path of float32 values */
function readValues(path) {
  const bytes = readFileSync(path);
  const data = bytes.subarray(10 + bytes.readUInt16LE(8));
  return new Float32Array(Uint8Array.from(data).buffer);
}

/** @param {readonly number[]} list */
export function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;
}
