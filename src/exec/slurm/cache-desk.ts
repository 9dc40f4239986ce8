import {mkdirSync, readFileSync, rmSync} from 'node:fs';
import {join, relative} from 'node:path';
import type {Digest, Sha256} from '../../core/digest.ts';
import type {Event} from '../../core/events.ts';
import {failure, FailureError, type Failure} from '../../core/failure.ts';
import type {Cas, Exchange, JobResult} from '../../core/ports.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {parseTree, type Artifact} from '../../core/tree.ts';
import {arrivedJob, inputDigests, type Arrival} from './arrived-job.ts';
import type {SentJob} from './sent-job.ts';
import {reportKey, reportName, seal, type JobReport, type Order, type SentOutput, type SentResult} from './ticket.ts';
import type {Desk, JobEnd} from './task-loop.ts';

export interface CacheDeskOptions {
  readonly order: Order;
  readonly key: string;
  readonly task: number;
  /** How often Slurm started the task before. */
  readonly start: number;
  readonly cas: Cas;
  readonly exchange: Exchange;
  /** Of this task alone, on the file system of the store. */
  readonly folder: string;
  /** Where npm packages are looked for. */
  readonly packages: string;
}

/** What is known of a job besides its result. */
interface Notes {
  readonly events: Event[];
  /** Characters in them. */
  told: number;
  lacking: readonly Sha256[];
}

/** Characters of a job's log that are told line by line; the rest is in its log alone. */
const mostTold = 256 * 1024;

/** The desk of a task on a compute node that has nothing but the remote cache: jobs come from there, and results go there. */
export function cacheDesk({order, key, task, start, cas, exchange, folder, packages}: CacheDeskOptions): Desk {
  exchange.mistrust(order.mistrusted);
  const sources = join(folder, 'sources');
  const trees: Arrival['trees'] = new Map();
  /** By job: one may still be on its way there while the next one runs. */
  const notes = new Map<number, Notes>();
  let current: Notes | undefined;
  const folderOf = (index: number): string => join(folder, String(index));

  const post = async (index: number, report: JobReport, signal: AbortSignal): Promise<Failure | undefined> =>
    exchange.post(reportKey(key, task, index), seal(key, reportName(task, index), report), signal);

  return {
    async hasEnded(index, signal) {
      if (start === 0) return false;
      const found = await exchange.collect(reportKey(key, task, index), signal);
      return found.ok && found.value !== undefined;
    },
    async prepare(index, lease, signal) {
      current = {events: [], told: 0, lacking: []};
      notes.set(index, current);
      const own = folderOf(index);
      mkdirSync(own, {recursive: true});
      const arrived = await arrivedJob(
        order.jobs[index]!,
        {folder: own, lease},
        {cas, exchange, signal, sources, packages, trees},
      );
      if (arrived.ok) return arrived;
      current.lacking = arrived.error.gone;
      trees.clear();
      return err(arrived.error.problem);
    },
    note(event) {
      if (event.type !== 'node-log' || !current || current.told > mostTold) return;
      current.told += event.text.length;
      current.events.push(event);
    },
    async leave(index, {result, place}: JobEnd, signal) {
      const {events, lacking} = notes.get(index) ?? {events: [], lacking: []};
      notes.delete(index);
      const about = {type: 'slurm-report/1', place, events, lacking, log: logOf(result, folderOf(index))} as const;
      const sent = await sendResult(result, order.jobs[index]!, {cas, exchange, signal, folder: folderOf(index)});
      rmSync(folderOf(index), {recursive: true, force: true});
      return (await post(index, {...about, result: sent}, signal)) === undefined;
    },
  };
}

/** A failed job leaves its log in its folder. */
function logOf(result: JobEnd['result'], folder: string): string {
  if (result.ok) return result.value.log;
  try {
    return readFileSync(join(folder, 'log.txt'), 'utf8');
  } catch {
    return '';
  }
}

interface Way {
  readonly cas: Cas;
  readonly exchange: Exchange;
  readonly signal: AbortSignal;
  /** Of the job. */
  readonly folder: string;
}

/** Blobs first: whoever sees the report finds what it names. */
async function sendResult(
  result: Result<JobResult, Failure>,
  job: SentJob,
  way: Way,
): Promise<Result<SentResult, Failure>> {
  if (!result.ok) return result;
  if (!inputDigests(job.inputs).every((digest) => way.cas.holds(digest))) {
    return err(
      failure('input-changed', `${job.node} changed one of its own inputs; nothing was stored`, {
        hint: 'Inputs are read only: let the command write to its declared outputs.',
      }),
    );
  }
  const {outputs: paths, log: _, place: __, ...rest} = result.value;
  const outputs: Record<string, SentOutput> = {};
  try {
    for (const [name, path] of Object.entries(paths)) {
      const artifact = await store(path, job.outputs[name]?.kind ?? 'file', way.cas);
      const problem = await send(artifact, way);
      if (problem) return err({...problem, message: `what the job made could not be sent: ${problem.message}`});
      outputs[name] = {artifact, path: relative(way.folder, path)};
    }
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return err(error.failure);
  }
  return ok({...rest, outputs});
}

async function store(path: string, kind: Artifact['kind'], cas: Cas): Promise<Artifact> {
  return kind === 'file' ? {kind, digest: await cas.putFile(path, 'move')} : cas.putTree(path);
}

async function send({kind, digest}: Artifact, {cas, exchange, signal}: Way): Promise<Failure | undefined> {
  const digests: Digest[] = [];
  if (kind === 'tree') {
    const tree = parseTree(readFileSync(cas.pathOf(digest), 'utf8'));
    digests.push(...(tree?.entries.map((entry) => entry.digest) ?? []));
  }
  const given = await Promise.all(digests.map((one) => exchange.give(one, cas.pathOf(one), signal)));
  return given.find((problem) => problem !== undefined) ?? exchange.give(digest, cas.pathOf(digest), signal);
}
