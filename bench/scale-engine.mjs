// The engine alone at sizes that would take a disk hours: what it decides and keeps in memory for each node and each slice.
//
//   node bench/scale-engine.mjs [nodes=1000,10000,100000] [items=10000,100000,1000000] [minutes=5]
//
// Simulated: the store is a map in memory (each blob is hashed as usual), and a job is a function that joins the texts that it reads,
// in this process; no file, worker, lock file or log is made. Each row is a process of its own with Node's default limits. `first` is
// plan and run of everything, `null` the same with nothing to do, `one` after one source file has changed.
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {build} from 'esbuild';
import {ms, readOptions} from './measure.mjs';

const defaults = {nodes: '1000,10000,100000', items: '10000,100000,1000000', minutes: 5, one: '', rig: ''};
const {nodes, items, minutes, one, rig: bundled} = readOptions(defaults);

if (one === '') await all();
else await measureOne();

async function all() {
  const folder = mkdtempSync(join(tmpdir(), 'mixdown-bench-'));
  try {
    const outfile = join(folder, 'rig.mjs');
    const entry = new URL('../test/support/engine-rig.ts', import.meta.url).pathname;
    await build({entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent'});
    for (const [kind, counts] of Object.entries({nodes, items})) {
      for (const count of counts.split(',').filter((text) => text !== '0')) {
        const script = [fileURLToPath(import.meta.url), `one=${kind}:${count}`, `rig=${outfile}`];
        const options = /** @type {const} */ ({timeout: minutes * 60_000, killSignal: 'SIGKILL', encoding: 'utf8'});
        const run = spawnSync(process.execPath, script, options);
        const why =
          run.signal === null ? run.stderr.trimEnd().split('\n').slice(-4).join(' | ') : `stopped by ${run.signal}`;
        console.log(`${count} ${kind}\n${run.stdout.trimEnd()}${run.status === 0 ? '' : `\n  failed: ${why}`}`);
      }
    }
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

async function measureOne() {
  /** @type {typeof import('../test/support/engine-rig.ts')} */
  const {EngineRig, eachNode, node} = await import(pathToFileURL(bundled).href);
  const [kind, text] = one.split(':');
  const count = Number(text);
  const rig = new EngineRig();
  if (kind === 'items') {
    for (let n = 0; n < count; n++) rig.write(`texts/${n}.txt`, `text ${n}`);
    rig.nodes = [eachNode('loud', '@texts')];
  } else {
    rig.write('src', 'text');
    rig.write('other', 'text');
    const half = Array.from({length: Math.round(count / 2)}, (_, n) => n);
    rig.nodes = half.flatMap((n) => [
      node(`a${n}`, [n === 0 ? '@other' : '@src'], {params: {n}}),
      node(`b${n}`, [`a${n}`], {params: {n}}),
    ]);
  }
  let changed = 0;
  const steps = {
    first() {},
    null() {},
    one: () => rig.write(kind === 'items' ? 'texts/0.txt' : 'other', `another text ${++changed}`),
  };
  for (const [name, prepare] of Object.entries(steps)) {
    prepare();
    rig.events.length = 0;
    const [begun, before] = [performance.now(), process.cpuUsage()];
    const summary = await rig.build();
    const {user, system} = process.cpuUsage(before);
    const cpuMs = (user + system) / 1000;
    const peakMiB = process.resourceUsage().maxRSS / 1024;
    console.log(
      `  ${name.padEnd(6)} wall ${ms(performance.now() - begun)}  cpu ${ms(cpuMs)}, ${((cpuMs * 1000) / count).toFixed(0)} us each  ` +
        `peak ${peakMiB.toFixed(0)} MiB  ${summary.outcome}, ${rig.ran.length} jobs`,
    );
  }
}
