// What the driver of a Slurm run costs by itself, at sizes that no cluster here has: `sbatch`, `squeue` and `scancel` are shell
// scripts that accept at once, and in place of the compute nodes one process writes what a job would have left, at once too.
//
//   node bench/scale-slurm.mjs [jobs=1000,10000] [slices=10000,100000] [batch=1000] [minutes=5]
//
// `jobs`: variants of one node, in arrays of at most 1001 tasks (Slurm's default). `slices`: items of one node, `batch` of them in
// each array task. No job computes anything: the figures are those of mixdown's own work, processor time without that of the simulated
// nodes. Run `npm run build` first.
import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {loadavg} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {inScratch, ms, readOptions, shout, writeFiles} from './measure.mjs';

const {jobs, slices, batch, minutes} = readOptions({
  jobs: '1000,10000',
  slices: '10000,100000',
  batch: 1000,
  minutes: 5,
});
const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const files = new URL('../dist/exec/slurm/files.js', import.meta.url).href;

/** @param {string} dir */
const programs = (dir) => ({
  sbatch: `#!/bin/sh
last=0
for argument; do
  case $argument in
  --array=0-*) last=\${argument#--array=0-} ;;
  --chdir=*) folder=\${argument#--chdir=} ;;
  --comment=*) comment=\${argument#--comment=} ;;
  esac
done
if [ "$last" = 0 ]; then echo "$$|$$|N/A|RUNNING|None|$comment"
else for task in $(seq 0 "$last"); do echo "$$|$$|$task|RUNNING|None|$comment"; done
fi >> ${dir}/queue
setsid node ${dir}/nodes.mjs "$folder" "$last" < /dev/null > ${dir}/nodes.log 2>&1 &
echo $$
`,
  squeue: `#!/bin/sh\nexec cat ${dir}/queue\n`,
  scancel: '#!/bin/sh\n',
  scontrol: '#!/bin/sh\necho "MaxArraySize = 1001"\n',
});

const nodesProgram = `import {mkdirSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {readJson, resultName, taskName, workName} from ${JSON.stringify(files)};

const [folder, last] = process.argv.slice(2);
for (let task = 0; task <= Number(last); task++) {
  const {jobs} = readJson(join(folder, taskName(task)), 'slurm-task/1');
  for (const [index, job] of jobs.entries()) {
    const work = workName(task, index, 0);
    const outputs = {};
    mkdirSync(join(folder, work, 'out'), {recursive: true});
    for (const [name, {name: file}] of Object.entries(job.outputs)) {
      outputs[name] = join(folder, work, 'out', file);
      writeFileSync(outputs[name], job.id);
    }
    const value = {outputs, metrics: {}, wallMs: 1, cpuMs: 1, maxRssBytes: 1, log: ''};
    const place = {host: 'simulated', device: 'cpu'};
    const text = JSON.stringify({type: 'slurm-result/1', work, result: {ok: true, value}, place});
    writeFileSync(join(folder, 'part'), text);
    renameSync(join(folder, 'part'), join(folder, resultName(task, index)));
  }
}
`;

const settings = ['poll=1', 'maxSubmitted=1000000'].map((text) => `executors.slurm.${text}`);

inScratch((root) => {
  const bin = join(root, 'bin');
  mkdirSync(bin);
  writeFileSync(join(root, 'nodes.mjs'), nodesProgram);
  for (const [name, text] of Object.entries(programs(root))) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  process.env['PATH'] = `${bin}:${process.env['PATH']}`;
  process.env['MIXDOWN_CACHE'] = 'off';
  for (const count of counts(jobs)) {
    const project = join(root, 'jobs');
    const variants = JSON.stringify(Array.from({length: count}, (_, n) => n));
    const node = `{shell: sh, script: 'true', outputs: {out: out.txt}, matrix: {n: ${variants}}, params: {n: '\${matrix.n}'}}`;
    writeFiles(project, {'pipeline.yaml': `version: 1\nnodes: {job: ${node}}\n`});
    run(root, project, `${count} jobs`, count, []);
  }
  for (const count of counts(slices)) {
    const project = join(root, 'slices');
    writeFiles(project, {
      'stages/shout.ts': shout,
      'pipeline.yaml':
        "version: 1\nsources: {texts: {path: texts, include: '**/*.txt'}}\nnodes: {loud: {stage: shout, each: texts}}\n",
    });
    for (let n = 0; n < count; n++) {
      const folder = `${project}/texts/${Math.floor(n / 1000)}`;
      if (n % 1000 === 0) mkdirSync(folder, {recursive: true});
      writeFileSync(`${folder}/${n}.txt`, `text ${n}\n`);
    }
    const batches = Math.ceil(count / batch);
    run(root, project, `${count} slices in ${batches} tasks`, count, [`executors.slurm.batches=${batches}`]);
  }
});

/**
 * @param {string} root
 * @param {string} project
 * @param {string} what
 * @param {number} count
 * @param {readonly string[]} more settings
 */
function run(root, project, what, count, more) {
  writeFileSync(join(root, 'queue'), '');
  const sets = [...settings, ...more].flatMap((setting) => ['--set', setting]);
  const begun = process.hrtime.bigint();
  // `timeout` kills what the command started, too.
  const limited = ['-s', 'KILL', `${minutes}m`, '/usr/bin/time', '-f', '%U %S %M', process.execPath, cli];
  const args = [...limited, 'run', '--quiet', '--executor', 'slurm', ...sets];
  const done = spawnSync('timeout', args, {cwd: project, stdio: ['ignore', 'ignore', 'pipe']});
  const wallMs = Number(process.hrtime.bigint() - begun) / 1e6;
  const lines = String(done.stderr).trimEnd().split('\n');
  if (done.status === 0) {
    const [user = 0, system = 0, kib = 0] = (lines.at(-1) ?? '').split(' ').map(Number);
    const cpuMs = (user + system) * 1000;
    const each = `${(cpuMs / count).toFixed(2)} ms each`;
    const load = `load ${loadavg()[0]?.toFixed(1)}`;
    console.log(
      `${what.padEnd(32)} wall ${ms(wallMs)}  cpu ${ms(cpuMs)}, ${each}  ${(kib / 1024).toFixed(0)} MiB  ${load}`,
    );
  } else {
    console.log(
      `${what.padEnd(32)} failed: ${done.signal === null ? lines.slice(-6).join(' | ') : `stopped after ${minutes} min`}`,
    );
  }
  rmSync(project, {recursive: true, force: true});
}

/** @param {string} list */
function counts(list) {
  return list
    .split(',')
    .map(Number)
    .filter((count) => count > 0);
}
