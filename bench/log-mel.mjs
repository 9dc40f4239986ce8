// Log-mel alone, without decoding and resampling: seconds of sound per second of one core, beside numpy and scipy, in turns.
//
//   node bench/log-mel.mjs [seconds=10] [clips=60] [turns=7] [python=python3]
//
// `clips` clips of `seconds`, at 16 kHz. `python` must have numpy and scipy. No build is needed.
import {join} from 'node:path';
import {compareOutputs, frontEnds, median, writeSound} from './front-end-runs.mjs';
import {inScratch, readOptions} from './measure.mjs';

const {seconds, clips, turns, python} = readOptions({seconds: 10, clips: 60, turns: 7, python: 'python3'});

/** The first passes compile; the last one counts. */
const PASSES = 4;

inScratch((root) => {
  const path = join(root, 'clip.wav');
  writeSound(path, {seconds, sampleRate: 16_000, channels: 1});
  const paths = Array.from({length: clips}, () => path);
  const {ours, peer} = frontEnds(root, python);
  const programs = {mixdown: ours, 'numpy and scipy': peer('poly')};
  /** @type {Map<string, number[]>} */
  const found = new Map(Object.keys(programs).map((name) => [name, []]));
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, program] of Object.entries(programs)) {
      found.get(name)?.push(program(PASSES, paths).passes.at(-1)?.['log-mel'] ?? 0);
    }
  }
  for (const [name, cpu] of found) {
    const rates = [median(cpu), Math.min(...cpu)].map((value) => ((seconds * clips) / value).toFixed(0));
    console.log(`${name.padEnd(16)} ${rates[0]} x real time (best ${rates[1]})`);
  }
  const {largest} = compareOutputs(root, clips);
  console.log(`values differ by ${largest.toExponential(1)} at most`);
});
