// Pitch shift beside numpy and scipy (pitch_shift.py, the faster of its two ways counts), in turns: processor time of one core.
//
//   node bench/pitch-shift.mjs [clip=FILE.wav] [seconds=30] [runs=5] [python=python3]
//
// `clip`: a WAV file of 16 bits instead of the made sounds of `seconds` at 16 and 44.1 kHz. `python` must have numpy and scipy.
// No build is needed.
import {spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {buildSync} from 'esbuild';
import {inScratch, readOptions} from './measure.mjs';

/** @typedef {typeof import('../stages/lib/audio/pitch-shift.ts')} Code */
/** @typedef {typeof import('../stages/lib/audio/wav.ts')} Reader */

const {clip, seconds, runs, python} = readOptions({clip: '', seconds: 30, runs: 5, python: 'python3'});
const peer = fileURLToPath(new URL('pitch_shift.py', import.meta.url));
const lib = fileURLToPath(new URL('../stages/lib/audio/', import.meta.url));
const SEMITONES = [-12, -5, -1, 1, 5, 12];

inScratch((root) => {
  const {pitchShift, intervalOf} = /** @type {Code} */ (load(root, 'pitch-shift'));
  /** @type {Map<string, Float64Array>} */
  const sounds = new Map();
  if (clip !== '') {
    const {decodeWav} = /** @type {Reader} */ (load(root, 'wav'));
    sounds.set(clip, decodeWav(readFileSync(clip)).channels[0] ?? new Float64Array());
  } else {
    for (const rate of [16_000, 44_100]) sounds.set(`${seconds} s at ${rate} Hz`, madeSound(seconds * rate));
    sounds.set('1 s at 16000 Hz', madeSound(16_000));
  }
  for (const [name, samples] of sounds) {
    console.log(name);
    for (const semitones of SEMITONES) {
      const [up, down] = fractionOf(intervalOf(semitones));
      const ours = [];
      const theirs = [];
      let decibels = 0;
      for (let run = 0; run <= runs; run++) {
        // The peer warms up in each turn, too.
        pitchShift(samples, semitones);
        const before = process.cpuUsage();
        const result = pitchShift(samples, semitones);
        const {user, system} = process.cpuUsage(before);
        const other = runPeer(root, samples, [semitones, up, down, 1]);
        if (run === 0) continue;
        ours.push((user + system) / 1000);
        theirs.push(other.cpuMs);
        decibels = 20 * Math.log10(rms(result) / rms(other.samples));
      }
      const [mine, yours] = [median(ours), median(theirs)];
      console.log(
        `  ${String(semitones).padStart(3)} semitones  mixdown ${mine.toFixed(1).padStart(6)} ms  numpy ${yours.toFixed(1).padStart(6)} ms` +
          `  ${(yours / mine).toFixed(1)} x faster; levels differ by ${decibels.toFixed(3)} dB`,
      );
    }
  }
});

/**
 * @param {string} root
 * @param {string} name
 * @returns {unknown}
 */
function load(root, name) {
  const outfile = join(root, `${name}.cjs`);
  // The author API of a failure is all that stages' libraries take from outside.
  const alias = {'mixdown/stage': fileURLToPath(new URL('../src/stage-api.ts', import.meta.url))};
  buildSync({entryPoints: [`${lib}${name}.ts`], bundle: true, platform: 'node', format: 'cjs', outfile, alias});
  return createRequire(import.meta.url)(outfile);
}

/**
 * The ratio of the pitches as a fraction, for a resampler that starts from the stretched sound's own rate: nearest with a small
 * denominator, as its filter is as long as that.
 *
 * @param {import('../stages/lib/audio/pitch-shift.ts').Interval} interval
 */
function fractionOf({length, up, down}) {
  const ratio = (up / down) * (2048 / length);
  for (let bottom = 1; ; bottom++) {
    const top = Math.round(ratio * bottom);
    if (Math.abs(1200 * Math.log2(top / bottom / ratio)) < 0.01) return [top, bottom];
  }
}

/**
 * @param {string} root
 * @param {Float64Array} samples
 * @param {readonly (number | undefined)[]} numbers
 */
function runPeer(root, samples, numbers) {
  const [input, output] = [join(root, 'in.f64'), join(root, 'out.f64')];
  writeFileSync(input, samples);
  const run = spawnSync(python, [peer, input, ...numbers.map(String), output], {encoding: 'utf8'});
  if (run.status !== 0) throw new Error(`${python} ${peer} failed:\n${run.stderr}`);
  const times = /** @type {Record<string, number[]>} */ (JSON.parse(run.stdout));
  const bytes = readFileSync(output);
  return {
    cpuMs: 1000 * Math.min(...Object.values(times).map(median)),
    samples: new Float64Array(new Uint8Array(bytes).buffer),
  };
}

/**
 * A sweep from 100 Hz to half of half the rate, with a decaying tone every 4000 samples.
 *
 * @param {number} length
 */
function madeSound(length) {
  return Float64Array.from({length}, (_, i) => {
    const sweep = Math.sin(2 * Math.PI * i * (0.006 + (0.12 * i) / length));
    const note = Math.exp(-(i % 4000) / 900) * Math.sin(0.11 * (i % 4000) * (1 + Math.floor(i / 4000) / 90));
    return 0.3 * sweep + 0.5 * note;
  });
}

/** @param {Float64Array} samples */
function rms(samples) {
  return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
}

/** @param {readonly number[]} list */
function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;
}
