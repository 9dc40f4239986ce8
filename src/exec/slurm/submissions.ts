import {existsSync, lstatSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {sha256} from '../../core/digest.ts';
import type {Job, JobInput} from '../../core/ports.ts';
import {parseTree} from '../../core/tree.ts';
import {identify, isAlive, processHost} from '../process-tree.ts';
import {removeTree} from '../remove-tree.ts';
import {jobIdName, readJson, resultName, scriptName, submissionName, type SubmissionFile} from './files.ts';
import {writeWhole} from '../write-whole.ts';

/** The jobs of one array task, in order. */
export type Unit = readonly Job[];

/** Key of what is submitted: the fingerprint where it is one, so that people find it in the queue. */
export function keyOf(units: readonly Unit[]): string {
  const ids = units.flatMap((unit) => unit.map(({id}) => id));
  return ids.length === 1 ? ids[0]! : sha256(ids.join('\n'));
}

/**
 * Leaves what is submitted in its folder, whose orders are written. Only this user may look into it: the environment of jobs
 * may hold credentials.
 *
 * @param script - for `sbatch`
 * @throws Error of the file system.
 */
export async function writeSubmission(folder: string, units: readonly Unit[], script: string): Promise<void> {
  await writeFile(join(folder, scriptName), script, {mode: 0o700});
  const tasks = units.map((unit) => unit.map(({id}) => id));
  own(folder, {type: 'slurm-submission/1', key: keyOf(units), tasks});
}

/** Notes that this process waits for the submission. */
export function own(folder: string, file: Omit<SubmissionFile, 'owner'>): void {
  const {type, key, tasks} = file;
  const owner = {...identify(process.pid), host: processHost()};
  writeWhole(join(folder, submissionName), JSON.stringify({type, key, tasks, owner} satisfies SubmissionFile));
}

/** Without the note a later run asks the queue for the comment. */
export function noteJobId(folder: string, id: string): void {
  try {
    writeWhole(join(folder, jobIdName), id);
  } catch {
    // A full disk is told by whoever needs it.
  }
}

/** A submission of a run that is gone. */
export interface LeftSubmission {
  readonly folder: string;
  readonly file: SubmissionFile;
  /** Number of the Slurm job; undefined when its run died before it knew. */
  readonly id: string | undefined;
  /** When its orders had been written, by the clock of the file system. Milliseconds since the epoch. */
  readonly writtenAtMs: number;
}

/** What runs left that ended without waiting. Folders without a whole submission are removed when they are old. */
export async function leftSubmissions(dir: string, now: number): Promise<readonly LeftSubmission[]> {
  const left: LeftSubmission[] = [];
  for (const name of namesIn(dir)) {
    const folder = join(dir, name);
    const file = readJson<SubmissionFile>(join(folder, submissionName), 'slurm-submission/1');
    const stat = lstatSync(file ? join(folder, scriptName) : folder, {throwIfNoEntry: false});
    if (file && stat) {
      if (file.owner.host === processHost() && isAlive(file.owner)) continue;
      left.push({folder, file, id: readId(folder), writtenAtMs: stat.mtimeMs});
    } else if (stat && now - stat.mtimeMs > halfWrittenMs) await removeTree(folder);
  }
  return left;
}

const halfWrittenMs = 24 * 3_600_000;

/** Takes the folder from under tasks that may yet start in it, and removes it. */
export async function discard(folder: string): Promise<void> {
  const grave = `${folder}.gone`;
  const moved = await rename(folder, grave).then(
    () => true,
    () => false,
  );
  await removeTree(moved ? grave : folder);
}

/** Whether the job left a result, be it taken since. */
export function hasEnded(folder: string, task: number, job: number): boolean {
  return existsSync(join(folder, resultName(task, job)));
}

/** Whether a source file that the job reads in place was touched since: then what it read may be something else. */
export function sourcesMovedSince(job: Job, ms: number): boolean {
  return Object.values(job.inputs).some((input) => moved(input, ms));
}

function moved(input: JobInput, ms: number): boolean {
  switch (input.kind) {
    case 'file':
      return touched(input.path, ms);
    case 'many':
      return input.items.some((item) => moved(item, ms));
    case 'tree': {
      const {base, manifest} = input;
      if (base.in === 'cas') return false;
      const tree = parseTree(readFileSync(manifest, 'utf8'));
      return !tree || tree.entries.some(({path}) => touched(join(base.path, path), ms));
    }
  }
}

function touched(path: string, ms: number): boolean {
  const stat = statSync(path, {throwIfNoEntry: false});
  // A blob of the store has a fixed time of modification, and its time of change moves when it is linked.
  return !stat || stat.mtimeMs > ms || (stat.ctimeMs > ms && (stat.mode & 0o200) !== 0);
}

function readId(folder: string): string | undefined {
  try {
    const id = readFileSync(join(folder, jobIdName), 'utf8').trim();
    return /^\d+$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
