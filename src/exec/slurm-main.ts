/**
 * Entry on a compute node: `node slurm-main.js FOLDER`. Runs the jobs of its array task one after another and leaves a
 * result for each; what has one already, since Slurm started the task again, is left alone. Told to end, it asks the job to
 * end and leaves no result: the state of the Slurm job says why.
 */
import {appendFileSync, mkdirSync, rmSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import type {Event} from '../core/events.ts';
import {failure, type Failure} from '../core/failure.ts';
import type {Gpu, Lease} from '../core/resources.ts';
import {err} from '../core/result.ts';
import {createRunner} from './runner.ts';
import {eventsName, readJson, resultName, taskName, workName, type ResultFile, type TaskFile} from './slurm-files.ts';
import {hasEnded} from './slurm-submissions.ts';
import {writeWhole} from './write-whole.ts';

const folder = process.argv[2] ?? '';
const task = Number(process.env['SLURM_ARRAY_TASK_ID'] ?? 0);
const start = Number(process.env['SLURM_RESTART_COUNT'] ?? 0);
const order = readJson<TaskFile>(join(folder, taskName(task)), 'slurm-task/1');
if (!order) {
  console.error(`${folder} is gone: whoever submitted this job does not wait for it any more`);
  process.exit(0);
}
const abort = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => abort.abort());

const runner = createRunner({workers: 1, env: {...order.env, TMPDIR: process.env['TMPDIR']}});
const [nodeMajor] = process.versions.node.split('.');
for (const [index, job] of order.jobs.entries()) {
  if (abort.signal.aborted) break;
  if (hasEnded(folder, task, index)) continue;
  const work = join(folder, workName(task, index, start));
  rmSync(work, {recursive: true, force: true});
  mkdirSync(work, {recursive: true});
  const lease = leaseHere(job.lease);
  const result =
    nodeMajor === order.nodeMajor
      ? await runner.run({...job, folder: work, lease}, note, abort.signal)
      : err(wrongNode(order.nodeMajor));
  if (abort.signal.aborted) break;
  leave(index, {
    type: 'slurm-result/1',
    work: workName(task, index, start),
    result,
    place: {host: process.env['SLURMD_NODENAME'] ?? hostname(), device: lease.device},
  });
}
await runner.close();
process.exit(abort.signal.aborted ? 1 : 0);

/** The lease with the devices that Slurm chose. */
function leaseHere(lease: Lease): Lease {
  const visible = process.env['CUDA_VISIBLE_DEVICES'] ?? '';
  const wanted = lease.cluster?.gpu ?? 0;
  const names = wanted === 0 || visible === '' ? [] : visible.split(',');
  const gpus = names.map((uuid, index): Gpu => ({uuid, index: Number(uuid) || index, name: '', memoryMiB: 0}));
  const device = gpus.length === 0 ? 'cpu' : gpus.map(({index}) => `gpu${index}`).join('+');
  return {...lease, gpus, device};
}

function wrongNode(wanted: string): Failure {
  return failure('no-executor', `the compute node has Node.js ${nodeMajor}, and results are keyed by ${wanted}`, {
    hint: `name a Node.js ${wanted} that compute nodes see: \`executors.slurm.node\``,
  });
}

function note(event: Event): void {
  try {
    appendFileSync(join(folder, eventsName(task)), `${JSON.stringify(event)}\n`);
  } catch {
    // The result carries the log as well.
  }
}

function leave(index: number, file: ResultFile): void {
  writeWhole(join(folder, resultName(task, index)), JSON.stringify(file), true);
}
