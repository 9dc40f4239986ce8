// What a Slurm cluster costs: submissions in a plain loop of sbatch beside those of mixdown, and the time from a job's
// submission to its result. Uses the cluster that sbatch finds, with TMPDIR on a file system that its nodes see, or
// starts one of two nodes on this machine: cluster=local.
//
//   node bench/slurm.mjs [jobs=50] [slices=1000] [cluster=site]
//
// Run `npm run build` first.
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {build} from 'esbuild';
import {measure, mixdown, ms, readOptions, shout, writeFiles} from './measure.mjs';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const options = readOptions({jobs: 50, slices: 1000, cluster: 'site'});
const {jobs, slices} = options;

const root = mkdtempSync(join(tmpdir(), 'mixdown-bench-'));
const cluster = options.cluster === 'local' ? await startCluster() : undefined;
try {
  if (cluster) Object.assign(process.env, cluster.env);
  compare();
} finally {
  await cluster?.stop();
  rmSync(root, {recursive: true, force: true});
}

function compare() {
  // They are held, so that only their submission counts, and cancelled afterwards.
  const hold = `for i in $(seq ${jobs}); do sbatch --parsable --hold --output=/dev/null --wrap=true; done > ids`;
  const plain = measure(root, 'sh', ['-ec', hold]);
  execFileSync('sh', ['-ec', 'xargs scancel < ids'], {cwd: root});
  row(`sbatch in a loop, ${jobs} jobs`, plain.wallMs, jobs, plain.cpuMs);

  // Jobs that do nothing, to their end: the same work as one array, then by mixdown.
  const script = `sbatch --wait --parsable --output=/dev/null --array=0-${jobs - 1} --wrap='echo x > /dev/null'`;
  const array = measure(root, 'sh', ['-ec', `${script} > ids`]);
  row(`sbatch --array --wait, ${jobs} tasks`, array.wallMs, jobs, array.cpuMs);
  const variants = JSON.stringify(Array.from({length: jobs}, (_, n) => n + 1));
  const one = 'shell: sh, script: "echo x > out.txt", outputs: {out: out.txt}';
  writeFiles(root, {
    'matrix/pipeline.yaml': `version: 1\nnodes: {job: {${one}, matrix: {n: ${variants}}, params: {n: '\${matrix.n}'}}}\n`,
    'single/pipeline.yaml': `version: 1\nnodes: {job: {${one}}}\n`,
    'slices/pipeline.yaml': `version: 1
sources: {texts: {path: texts}}
nodes: {loud: {stage: shout, each: texts}}
`,
    'slices/stages/shout.ts': shout,
  });
  const apart = `version: 1\nnodes: {job: {${one}, matrix: {n: ${variants}}, params: {n: '\${matrix.n}'}, resources: {memoryMiB: '\${matrix.n}'}}}\n`;
  writeFiles(root, {'apart/pipeline.yaml': apart});
  const args = ['run', '--executor', 'slurm', '--quiet', '--set', 'executors.slurm.poll=1'];
  const matrix = mixdown(join(root, 'matrix'), ...args);
  row(`mixdown, ${jobs} variants`, matrix.wallMs, jobs, matrix.cpuMs);
  const sentMs = submissions(join(root, 'apart'), [...args, '--json']);
  row(`mixdown, ${jobs} separate submissions`, sentMs, jobs, 0);
  const single = mixdown(join(root, 'single'), ...args);
  const alone = measure(root, 'sbatch', ['--wait', '--output=/dev/null', '--wrap=true']);
  row('sbatch --wait, one job', alone.wallMs, 1, alone.cpuMs);
  row('mixdown, one job', single.wallMs, 1, single.cpuMs);

  const texts = Array.from({length: slices}, (_, n) => [`slices/texts/${n}.txt`, `text ${n}\n`]);
  writeFiles(root, Object.fromEntries(texts));
  const many = mixdown(join(root, 'slices'), ...args, '--set', 'executors.slurm.batches=8');
  row(`mixdown, ${slices} slices in 8 tasks`, many.wallMs, slices, many.cpuMs);
}

/**
 * @param {string} what
 * @param {number} wallMs
 * @param {number} count
 * @param {number} cpuMs of this machine's part
 */
function row(what, wallMs, count, cpuMs) {
  const rate = `${((count / wallMs) * 1000).toFixed(1)} /s`;
  const cpu = cpuMs === 0 ? '' : `  ${ms(cpuMs / count)} cpu here for each`;
  console.log(`${what.padEnd(34)} ${ms(wallMs).padStart(9)}  ${rate.padStart(10)}${cpu}`);
}

/**
 * Time from the first to the last submission of jobs that ask for different things, and so cannot be one array.
 *
 * @param {string} cwd
 * @param {readonly string[]} args
 */
function submissions(cwd, args) {
  const said = execFileSync(process.execPath, [cli, ...args], {cwd, encoding: 'utf8', maxBuffer: 2 ** 28});
  const events = said.split('\n').filter((line) => line.includes('submitted as Slurm job'));
  const times = events.map((line) => Number(/"at":(\d+)/.exec(line)?.[1]));
  return ((times.at(-1) ?? 0) - (times[0] ?? 0)) * (jobs / (jobs - 1));
}

async function startCluster() {
  const outfile = join(root, 'slurm-cluster.mjs');
  const entry = new URL('../test/support/slurm-cluster.ts', import.meta.url).pathname;
  await build({entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent'});
  /** @type {typeof import('../test/support/slurm-cluster.ts')} */
  const {SlurmCluster} = await import(pathToFileURL(outfile).href);
  return SlurmCluster.start();
}
