// Seconds of sound made into log-mel patches per second of one core: decode, trim, normalise, resample, log-mel, write; beside
// numpy and scipy (front_end.py) at the same work, in turns. Then the memory of one process over many and long clips.
//
//   node bench/front-end.mjs [clips=FOLDER] [seconds=300] [turns=3] [long=1800] [python=python3]
//
// `clips`: a folder of WAV files at 44.1 kHz; without one, only a made sound of `seconds`. `long`: seconds of the clip for the
// memory. `python` must have numpy and scipy. No build is needed.
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {compareOutputs, frontEnds, median, writeSound} from './front-end-runs.mjs';
import {inScratch, readOptions} from './measure.mjs';

const {clips, seconds, turns, long, python} = readOptions({
  clips: process.env.MIXDOWN_DATA ? join(process.env.MIXDOWN_DATA, 'fsdkaggle2018-clips/audio_train') : '',
  seconds: 300,
  turns: 3,
  long: 1800,
  python: 'python3',
});

/** The first passes compile and design filters; the last one counts. */
const PASSES = 3;
const OURS = 'mixdown';

inScratch((root) => {
  /** @type {Map<string, readonly string[]>} */
  const corpora = new Map();
  if (clips !== '') {
    const names = readdirSync(clips).filter((name) => name.endsWith('.wav'));
    corpora.set(
      `${names.length} clips`,
      names.sort().map((name) => join(clips, name)),
    );
  }
  const made = join(root, 'made.wav');
  writeSound(made, {seconds, sampleRate: 44_100, channels: 2});
  corpora.set(`one stereo sound of ${seconds} s`, [made]);
  for (const [name, paths] of corpora) {
    console.log(name);
    compareSpeed(root, paths);
  }
  console.log('largest resident size of one process');
  const [first = []] = corpora.values();
  compareMemory(root, first);
});

/**
 * @param {string} root
 * @param {readonly string[]} paths
 */
function compareSpeed(root, paths) {
  const {ours, peer} = frontEnds(root, python);
  const programs = {
    [OURS]: ours,
    'numpy and scipy': peer('poly'),
    'with mixdown’s filter': peer('same'),
    'with matrix products': peer('matrix'),
  };
  /** @type {Map<string, {warm: import('./front-end-runs.mjs').Parts[], whole: number[]}>} */
  const found = new Map(Object.keys(programs).map((name) => [name, {warm: [], whole: []}]));
  let sound = 0;
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, program] of Object.entries(programs)) {
      const run = program(PASSES, paths);
      sound = run.seconds;
      found.get(name)?.warm.push(run.passes.at(-1) ?? {});
      found.get(name)?.whole.push(program(1, paths).cpuSeconds);
    }
  }
  ours(1, paths);
  peer('same')(1, paths);
  const {largest, rms} = compareOutputs(root, paths.length);
  console.log(`  same filter: values differ by ${largest.toExponential(1)} at most, rms ${rms.toExponential(1)}`);
  /** @type {{total: number, whole: number} | undefined} */
  let base;
  for (const [name, {warm, whole}] of found) {
    const parts = Object.keys(warm[0] ?? {}).map((part) => {
      const cpu = median(warm.map((pass) => pass[part] ?? 0));
      return `${part} ${((1e6 * cpu) / sound).toFixed(0)}`;
    });
    const figures = {
      total: median(warm.map((pass) => Object.values(pass).reduce((a, b) => a + b, 0))),
      whole: median(whole),
    };
    base ??= figures;
    console.log(
      `  ${name.padEnd(22)} ${speed(sound, figures.total, base.total)}; whole process ${speed(sound, figures.whole, base.whole)}; ` +
        `us cpu a second: ${parts.join(', ')}`,
    );
  }
}

/**
 * @param {number} sound
 * @param {number} cpu
 * @param {number} ours
 */
function speed(sound, cpu, ours) {
  return `${(sound / cpu).toFixed(0).padStart(5)} x real time, ${(cpu / ours).toFixed(2).padStart(5)} x mixdown's time`;
}

/**
 * @param {string} root
 * @param {readonly string[]} paths
 */
function compareMemory(root, paths) {
  const {ours, peer} = frontEnds(root, python);
  /**
   * @param {string} name
   * @param {number} passes
   * @param {readonly string[]} list
   */
  const print = (name, passes, list) => {
    const [a, b] = [ours, peer('poly')].map((program) => `${program(passes, list).rssMiB.toFixed(0).padStart(5)} MiB`);
    console.log(`  ${name.padEnd(22)} mixdown ${a}, numpy ${b}`);
  };
  for (const passes of [1, 10]) print(`${passes * paths.length} clips`, passes, paths);
  const path = join(root, 'long.wav');
  writeSound(path, {seconds: long, sampleRate: 44_100, channels: 1});
  print(`one clip of ${long} s`, 1, [path]);
}
