// The audio front end of this project over some clips, part by part: what bench/front-end.mjs runs beside front_end.py.
//
//   PASSES OUT CLIP...
//
// Makes the log-mel patches of every clip, PASSES times over, into OUT/<number of the clip>.npy, as the stages
// resample-trim and log-mel do. Prints one line of JSON: the seconds of sound of one pass, and for each pass the processor
// seconds of every part of the work.
import {readFileSync} from 'node:fs';
import {decodeClip} from '../stages/lib/decode.ts';
import {cutPatches, logMel} from '../stages/lib/mel.ts';
import {writeNpy} from '../stages/lib/npy.ts';
import {resample} from '../stages/lib/resample.ts';
import {trimSilence} from '../stages/lib/trim.ts';
import {mixToMono} from '../stages/lib/wav.ts';

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
const PATCH = 96;
const PARTS = ['decode', 'trim', 'resample', 'log-mel', 'write'] as const;

const [passes = '', out = '', ...clips] = process.argv.slice(2);
let seconds = 0;
const results: Record<string, number>[] = [];
for (let pass = 0; pass < Number(passes); pass++) {
  const spent = Object.fromEntries(PARTS.map((part) => [part, 0]));
  seconds = 0;
  for (const [number, path] of clips.entries()) {
    const times = [cpuSeconds()];
    const sound = await decodeClip(readFileSync(path));
    const mono = mixToMono(sound);
    seconds += mono.length / sound.sampleRate;
    times.push(cpuSeconds());
    const {start, end} = trimSilence(mono, 60, 'reflect');
    const trimmed = normalized(mono, start, end);
    times.push(cpuSeconds());
    const samples = repeatTo(resample(trimmed, sound.sampleRate, RATE, 'sinc'), 0.975 * RATE);
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

function normalized(samples: Float64Array, start: number, end: number): Float64Array {
  let peak = 0;
  for (let i = start; i < end; i++) {
    const level = Math.abs(samples[i] as number);
    if (level > peak) peak = level;
  }
  const result = new Float64Array(end - start);
  for (let i = 0; i < result.length; i++) result[i] = (samples[start + i] as number) / peak;
  return result;
}

function repeatTo(samples: Float64Array, length: number): Float64Array {
  if (samples.length >= length) return samples;
  const result = new Float64Array(length);
  for (let at = 0; at < length; at += samples.length) result.set(samples.subarray(0, length - at), at);
  return result;
}
