// Resampling beside sox and libsoxr: first the quality of each, measured on the same tones, then their speed on one core.
//
//   node bench/resample.mjs [seconds=600] [clip=30] [turns=5] [rates=44100,48000,22050,96000,8000] [to=16000]
//
// Needs sox; ffmpeg with libsoxr is measured where it is there. All read and write raw floats of 64 bits. Speed is processor
// time: of sox and ffmpeg a run less a run that only reads, both without writing; of this project what the resampling takes in
// its process, the result's memory included, the first time and later, in clips of `clip` seconds. No build is needed.
import {spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {buildSync} from 'esbuild';
import {inScratch, readOptions} from './measure.mjs';
import {judge, sweepSignal} from './resample-quality.mjs';

const {seconds, clip, turns, rates, to} = readOptions({
  seconds: 600,
  clip: 30,
  turns: 5,
  rates: '44100,48000,22050,96000,8000',
  to: 16_000,
});

const here = fileURLToPath(new URL('.', import.meta.url));
const soxr = spawnSync('ffmpeg', ['-v', 'error', '-h', 'filter=aresample'], {encoding: 'utf8'}).stdout?.includes(
  'soxr',
);

inScratch((root) => {
  const code = join(root, 'pass.mjs');
  buildSync({
    entryPoints: [join(here, 'resample-pass.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: {'mixdown/stage': join(here, '../src/stage-api.ts')},
    outfile: code,
    logLevel: 'error',
  });
  const input = join(root, 'in.f64');
  const output = join(root, 'out.f64');
  for (const from of rates.split(',').map(Number)) {
    console.log(`\n${from} -> ${to} Hz`);
    const own = [process.execPath, code, input, output, `${from}`, `${to}`, `${clip}`];
    const peers = peersOf(input, output, from);
    writeFileSync(input, sweepSignal(from, to));
    report('mixdown', root, [...own.slice(0, -1), '1e9', '1'], output, from);
    for (const [name, {write}] of Object.entries(peers)) report(name, root, write, output, from);
    writeFileSync(input, sound(seconds * from));
    compareSpeed(root, own, peers, from);
  }
});

/**
 * Runs a command on the sweep and prints what it did to it.
 *
 * @param {string} name
 * @param {string} root
 * @param {readonly string[]} command
 * @param {string} output
 * @param {number} from
 */
function report(name, root, command, output, from) {
  run(root, command);
  const bytes = readFileSync(output);
  const found = judge(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3), from, to);
  console.log(
    `${name.padEnd(16)} ripple ${found.ripple.toExponential(1)} dB, -0.01 dB at ${found.flat.toFixed(1)} %, ` +
      `-3 dB at ${found.half.toFixed(1)} %, alias ${found.alias.toFixed(0)} dB, THD+N ${found.distortion.toFixed(0)} dB`,
  );
}

/**
 * The same work with the result written, with the result thrown away, and without resampling.
 *
 * @typedef {{write: readonly string[], discard: readonly string[], floor: readonly string[]}} Peer
 * @param {string} input
 * @param {string} output
 * @param {number} from
 * @returns {Record<string, Peer>}
 */
function peersOf(input, output, from) {
  const raw = ['-t', 'raw', '-e', 'floating-point', '-b', '64', '-c', '1'];
  const sox = ['sox', '--single-threaded', '-D', ...raw, '-r', `${from}`, input];
  const ffmpeg = ['ffmpeg', '-v', 'error', '-y', '-threads', '1', '-filter_threads', '1'];
  ffmpeg.push('-f', 'f64le', '-ar', `${from}`, '-ac', '1', '-i', input);
  const encode = ['-c:a', 'pcm_f64le', '-f'];
  /** @type {Record<string, Peer>} */
  const peers = {};
  for (const quality of ['-h', '-v']) {
    const rate = ['rate', quality, `${to}`];
    const floor = [...sox, '-n'];
    peers[`sox rate ${quality}`] = {write: [...sox, ...raw, output, ...rate], discard: [...floor, ...rate], floor};
  }
  for (const bits of soxr ? [20, 28] : []) {
    const filter = ['-af', `aresample=${to}:resampler=soxr:precision=${bits}:osf=dbl`];
    peers[`soxr, ${bits} bits`] = {
      write: [...ffmpeg, ...filter, ...encode, 'f64le', output],
      discard: [...ffmpeg, ...filter, ...encode, 'null', '-'],
      floor: [...ffmpeg, ...encode, 'null', '-'],
    };
  }
  return peers;
}

/**
 * @param {string} root
 * @param {readonly string[]} own
 * @param {Record<string, Peer>} peers
 * @param {number} from
 */
function compareSpeed(root, own, peers, from) {
  /** @type {Map<string, {alone: number[], whole: number[]}>} */
  const found = new Map(
    ['mixdown', 'mixdown, first', ...Object.keys(peers)].map((name) => [name, {alone: [], whole: []}]),
  );
  /** @type {(name: string, alone: number, whole: number) => void} */
  const keep = (name, alone, whole) => {
    found.get(name)?.alone.push(alone);
    found.get(name)?.whole.push(whole);
  };
  for (let turn = 0; turn < turns; turn++) {
    const whole = cpuSeconds(root, [...own, '1']);
    const [first = 0, , later = 0] = JSON.parse(run(root, [...own, '3']));
    keep('mixdown', later, whole);
    keep('mixdown, first', first, whole);
    for (const [name, {write, discard, floor}] of Object.entries(peers)) {
      keep(name, cpuSeconds(root, discard) - cpuSeconds(root, floor), cpuSeconds(root, write));
    }
  }
  const mixdown = median(found.get('mixdown')?.alone ?? []);
  for (const [name, {alone, whole}] of found) {
    const time = median(alone);
    console.log(
      `${name.padEnd(16)} ${(seconds / time).toFixed(0).padStart(6)} x real time, ` +
        `${((time / seconds / from) * 1e9).toFixed(2).padStart(5)} ns a sample, ${(time / mixdown).toFixed(2)} x mixdown's; ` +
        `whole process ${median(whole).toFixed(2)} s`,
    );
  }
}

/**
 * Processor time to the millisecond, which `time` of measure.mjs does not give.
 *
 * @param {string} root
 * @param {readonly string[]} command
 */
function cpuSeconds(root, command) {
  const args = ['-c', 'TIMEFORMAT=\'%3U %3S\'; time "$@"', 'bash', ...command];
  const {status, stderr} = spawnSync('bash', args, {cwd: root, encoding: 'utf8'});
  if (status !== 0) throw new Error(`${command.join(' ')} failed:\n${stderr}`);
  const [user = 0, system = 0] = (stderr.trimEnd().split('\n').at(-1) ?? '').split(' ').map(Number);
  return user + system;
}

/**
 * @param {string} root
 * @param {readonly string[]} command
 */
function run(root, command) {
  const {status, stdout, stderr} = spawnSync(command[0] ?? '', command.slice(1), {cwd: root, encoding: 'utf8'});
  if (status !== 0) throw new Error(`${command.join(' ')} failed:\n${stderr}`);
  return stdout;
}

/** @param {number} length */
function sound(length) {
  return Float64Array.from(
    {length},
    (_, i) => 0.4 * Math.sin(i * i * 1e-7) + 0.1 * Math.sin(i * 0.7) * Math.sin(i * i),
  );
}

/** @param {readonly number[]} list */
function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;
}
