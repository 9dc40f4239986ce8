// This project's resampling of raw 64-bit floats: what bench/resample.mjs runs beside sox and ffmpeg.
//
//   IN OUT FROM TO CLIP PASSES
//
// Resamples IN in clips of CLIP seconds, PASSES times, and writes them to OUT. Prints one line of JSON: of each pass the
// processor seconds of the whole process that the resampling alone took.
import {closeSync, openSync, readFileSync, writeSync} from 'node:fs';
import {resample} from '../stages/lib/audio/resample.ts';

const [input = '', output = '', ...numbers] = process.argv.slice(2);
const [from = 0, to = 0, clip = 0, passes = 0] = numbers.map(Number);
const bytes = readFileSync(input);
const samples = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
const seconds: number[] = [];
for (let pass = 0; pass < passes; pass++) {
  const file = openSync(output, 'w');
  let spent = 0;
  for (let start = 0; start < samples.length; start += clip * from) {
    const before = cpuSeconds();
    const result = resample(samples.subarray(start, start + clip * from), from, to, 'sinc');
    spent += cpuSeconds() - before;
    writeSync(file, new Uint8Array(result.buffer, result.byteOffset, result.byteLength));
  }
  closeSync(file);
  seconds.push(spent);
}
console.log(JSON.stringify(seconds));

/** What the compiler and the collector of garbage take is part of the price. */
function cpuSeconds(): number {
  const {user, system} = process.cpuUsage();
  return (user + system) / 1e6;
}
