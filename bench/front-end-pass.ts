// The audio front end of this project over some clips, part by part: what bench/front-end.mjs runs beside front_end.py.
//
//   PASSES OUT CLIP...
//
// Makes the log-mel patches of every clip, PASSES times over, into OUT/<number of the clip>.npy, as the stages
// resample-trim and log-mel do. Prints one line of JSON: the seconds of sound of one pass, and for each pass the processor
// seconds of every part of the work.
import {readFileSync} from 'node:fs';
import {decodeClip} from '../stages/lib/audio/decode.ts';
import {cutPatches, logMel} from '../stages/lib/audio/mel.ts';
import {writeNpy} from '../stages/lib/formats/npy.ts';
import {makeWaveform, type WaveformOptions} from '../stages/lib/audio/waveform.ts';

const RATE = 16_000;
const MEL = {
  sampleRate: RATE,
  windowSeconds: 0.025,
  hopSeconds: 0.01,
  bands: 64,
  lowHz: 125,
  highHz: 7500,
  logOffset: 0.01,
};
/** As stage resample-trim has it without params. */
const WAVEFORM: WaveformOptions = {
  sampleRate: RATE,
  trimDb: 60,
  trimPad: 'reflect',
  normalize: true,
  minSeconds: 0.975,
  resampler: 'sinc',
};
const PATCH = 96;
const PARTS = ['decode', 'waveform', 'log-mel', 'write'] as const;

const [passes = '', out = '', ...clips] = process.argv.slice(2);
let seconds = 0;
const results: Record<string, number>[] = [];
for (let pass = 0; pass < Number(passes); pass++) {
  const spent = Object.fromEntries(PARTS.map((part) => [part, 0]));
  seconds = 0;
  for (const [number, path] of clips.entries()) {
    const times = [cpuSeconds()];
    const sound = await decodeClip(readFileSync(path));
    times.push(cpuSeconds());
    const {samples, seconds: length} = makeWaveform(sound, WAVEFORM);
    seconds += length;
    times.push(cpuSeconds());
    const {patches, data} = cutPatches(logMel(samples, MEL), PATCH, PATCH);
    times.push(cpuSeconds());
    writeNpy(`${out}/${number}.npy`, {shape: [patches, PATCH, MEL.bands], data});
    times.push(cpuSeconds());
    for (const [i, part] of PARTS.entries()) spent[part]! += times[i + 1]! - times[i]!;
  }
  results.push(spent);
}
console.log(JSON.stringify({seconds, passes: results}));

/** Of the whole process: what the compiler and the collector of garbage take is part of the price. */
function cpuSeconds(): number {
  const {user, system} = process.cpuUsage();
  return (user + system) / 1e6;
}
