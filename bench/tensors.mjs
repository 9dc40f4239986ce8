// Training steps and VGGish on this project's tensor engines, beside PyTorch on the CPU, in turns.
//
//   node bench/tensors.mjs [models=dense,attention,lstm,vggish,fine-tune] [engines=onnx-blas,wasm] [threads=1] [steps=5] [turns=3]
//                          [python=python3]
//
// dense: 3 blocks of 600 units with batch normalisation and dropout, mean over time; attention: heads on all three blocks; lstm: 600
// units; each on batches of 500 x 10 x 128 with 527 classes. vggish: embeddings of 16 patches. fine-tune: a step of VGGish with
// its head on 16 patches. `python` must have torch. No build is needed.
import {spawnSync} from 'node:child_process';
import {symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {buildSync} from 'esbuild';
import {inScratch, median, readOptions} from './measure.mjs';

const {models, engines, threads, steps, turns, python} = readOptions({
  models: 'dense,attention,lstm,vggish,fine-tune',
  engines: 'onnx-blas,wasm',
  threads: 1,
  steps: 5,
  turns: 3,
  python: 'python3',
});
const here = fileURLToPath(new URL('.', import.meta.url));

/** @typedef {{wall: number[], cpu: number[], importSeconds: number, firstSeconds: number, rssMiB: number}} Run */

/**
 * @param {readonly string[]} command
 * @returns {Run}
 */
function runChild([program = '', ...args]) {
  const limits = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'].map((name) => [name, `${threads}`]);
  const env = {...process.env, ...Object.fromEntries(limits)};
  const child = spawnSync(program, args, {encoding: 'utf8', env, cwd: join(here, '..')});
  if (child.status !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${child.stderr}`);
  return JSON.parse(child.stdout);
}

inScratch((root) => {
  const pass = join(root, 'tensors-pass.mjs');
  buildSync({
    entryPoints: [join(here, 'tensors-pass.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    alias: {'mixdown/stage': join(here, '../src/stage-api.ts')},
    outfile: pass,
    logLevel: 'error',
  });
  symlinkSync(join(here, '../node_modules'), join(root, 'node_modules'));
  for (const model of models.split(',')) {
    const batch = model === 'vggish' || model === 'fine-tune' ? 16 : 500;
    const numbers = [batch, threads, steps].map(String);
    /** @type {Record<string, () => Run>} */
    const programs = {PyTorch: () => runChild([python, join(here, 'torch_tensors.py'), model, ...numbers])};
    for (const engine of engines.split(',')) {
      programs[engine] = () => runChild([process.execPath, pass, model, engine, ...numbers]);
    }
    /** @type {Map<string, Run[]>} */
    const found = new Map(Object.keys(programs).map((name) => [name, []]));
    for (let turn = 0; turn < turns; turn++) {
      for (const [name, program] of Object.entries(programs)) found.get(name)?.push(program());
    }
    report(model, batch, found);
  }
});

/**
 * @param {string} model
 * @param {number} batch
 * @param {ReadonlyMap<string, readonly Run[]>} found
 */
function report(model, batch, found) {
  console.log(`${model}, batch ${batch}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`);
  let floors = {wall: 0, cpu: 0};
  for (const [name, runs] of found) {
    const wall = median(runs.flatMap((run) => run.wall));
    const cpu = median(runs.flatMap((run) => run.cpu));
    if (name === 'PyTorch') floors = {wall, cpu};
    const rate = model === 'vggish' ? `  ${((batch * 1000) / wall).toFixed(0)} patches/s` : '';
    /** @param {keyof Run} what */
    const of = (what) => median(runs.map((run) => Number(run[what])));
    console.log(
      `  ${name.padEnd(10)} ${wall.toFixed(0).padStart(6)} ms a step, cpu ${cpu.toFixed(0).padStart(6)} ms, ` +
        `${(wall / floors.wall).toFixed(2)} x PyTorch (cpu ${(cpu / floors.cpu).toFixed(2)})${rate}  loaded ${of('importSeconds').toFixed(2)} s, ` +
        `first step after ${of('firstSeconds').toFixed(2)} s, ${of('rssMiB').toFixed(0)} MiB`,
    );
  }
}
