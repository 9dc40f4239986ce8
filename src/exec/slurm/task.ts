import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import {join} from 'node:path';
import type {Emit, Event} from '../../core/events.ts';
import {failure, type Failure} from '../../core/failure.ts';
import type {Job, JobResult} from '../../core/ports.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {eventsName, outputName, type ResultFile} from './files.ts';

/** A job that somebody waits for. */
export interface Flight {
  readonly job: Job;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly answer: (result: Result<JobResult, Failure>) => void;
  /** It was answered. */
  settled: boolean;
  /** How often a host was lost under it. */
  losses: number;
}

/** Nobody wants its result any more. */
export function isDropped({settled, signal}: Flight): boolean {
  return settled || signal.aborted;
}

export function cancelled(hint?: string): Failure {
  return failure('cancelled', 'cancelled before it was done', hint === undefined ? {} : {hint});
}

/** Says what becomes of the job on the cluster; no part of its own log. */
export function tell({job, emit}: Flight, text: string): void {
  const slice = job.slice === undefined ? {} : {slice: job.slice};
  emit({type: 'node-log', at: Date.now(), node: job.node, stream: 'log', text, ...slice});
}

/** One array task that was submitted. */
export interface LiveTask {
  readonly index: number;
  /** As `squeue` names it. */
  readonly id: string;
  /** By job; undefined for one that nobody waits for here. */
  readonly flights: (Flight | undefined)[];
  /** Bytes of its events that were told. */
  told: number;
  /** The last state, and the last reason to wait that was told. */
  state: string;
  reason: string;
  /** When it was first seen to be over without a result. */
  overSince: number | undefined;
  cancelling: boolean;
  /** What it left is being brought here; how often that was done. */
  bringing: boolean;
  brought: number;
}

/** A submission whose tasks are looked after here. */
export interface LiveSubmission {
  readonly folder: string;
  readonly tasks: readonly LiveTask[];
  /** Jobs whose end is known and dealt with. */
  dealtWith: number;
  /** Results of it may yet be had: it is left to a later run. */
  kept: boolean;
}

/** @param jobId - number that `sbatch` gave */
export function liveSubmission(folder: string, jobId: string, sizes: readonly number[]): LiveSubmission {
  const tasks = sizes.map((size, index): LiveTask => ({
    index,
    id: sizes.length === 1 ? jobId : `${jobId}_${index}`,
    flights: Array.from({length: size}),
    told: 0,
    state: '',
    reason: '',
    overSince: undefined,
    cancelling: false,
    bringing: false,
    brought: 0,
  }));
  return {folder, tasks, dealtWith: 0, kept: false};
}

/** The jobs of a task that are still waited for. */
export function openFlights({flights}: LiveTask): readonly Flight[] {
  return flights.filter((flight): flight is Flight => flight !== undefined && !flight.settled);
}

/**
 * Takes what a job left behind into the folder that its caller made for it. The submission keeps it too, so that nothing is
 * lost with a caller that dies before it has stored it.
 */
export function takeResult(folder: string, {work, result, place}: ResultFile, job: Job): Result<JobResult, Failure> {
  const from = join(folder, work);
  rmSync(job.folder, {recursive: true, force: true});
  linkFolder(from, job.folder);
  // It names a process group of another host.
  rmSync(join(job.folder, 'pid.json'), {force: true});
  if (!result.ok) return err(result.error);
  const outputs: Record<string, string> = {};
  for (const [name, path] of Object.entries(result.value.outputs)) {
    if (!path.startsWith(`${from}/`)) throw new Error(`output ${name} lies outside its job's folder: ${path}`);
    outputs[name] = join(job.folder, path.slice(from.length + 1));
  }
  return ok({...result.value, outputs, place});
}

/** The same files at another path; the folder itself where they cannot be linked. */
function linkFolder(from: string, to: string): void {
  try {
    linkFiles(from, to);
  } catch {
    rmSync(to, {recursive: true, force: true});
    renameSync(from, to);
  }
}

function linkFiles(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, {withFileTypes: true})) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkFiles(source, target);
    else linkSync(source, target);
  }
}

const chunkBytes = 1024 * 1024;

/** Tells what happened in the task since the last call. A line that is not whole waits for the next. */
export function tellEvents(folder: string, task: LiveTask): void {
  const [listener] = openFlights(task);
  if (!listener) return;
  let file: number;
  try {
    file = openSync(join(folder, eventsName(task.index)), 'r');
  } catch {
    return;
  }
  try {
    const chunk = Buffer.alloc(chunkBytes);
    for (;;) {
      const size = readSync(file, chunk, 0, chunkBytes, task.told);
      const end = chunk.lastIndexOf(0x0a, size - 1) + 1;
      if (size === 0 || end === 0) return;
      for (const line of chunk.toString('utf8', 0, end - 1).split('\n')) {
        const event = eventOf(line);
        if (event) listener.emit(event);
      }
      task.told += end;
    }
  } finally {
    closeSync(file);
  }
}

function eventOf(line: string): Event | undefined {
  try {
    const event = JSON.parse(line) as Event;
    return event.type === 'node-log' || event.type === 'node-progress' ? event : undefined;
  } catch {
    return undefined;
  }
}

const lastCharacters = 4096;
const lastLines = 5;

/** The end of what Slurm and the runner themselves printed. */
export function lastOutput(folder: string, task: number): readonly string[] {
  try {
    const text = readFileSync(join(folder, outputName(task)), 'utf8');
    return text
      .slice(-lastCharacters)
      .trimEnd()
      .split('\n')
      .slice(-lastLines)
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}

/** Names of the files in the folder; empty when it cannot be read. Reading it anew makes NFS look for what is new. */
export function namesOf(folder: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(folder));
  } catch {
    return new Set();
  }
}
