import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Failure} from '../../core/failure.ts';
import type {Job, JobResult} from '../../core/ports.ts';
import type {Result} from '../../core/result.ts';
import type {Environment} from '../environment.ts';

/**
 * A submission is a folder on the file system that the compute nodes share, at `<cache>/slurm/<run>-<n>`. Array task i
 * reads `<i>.task.json`, runs its jobs one after another in folders of their own, tells what happens in `<i>.events.ndjson`,
 * and leaves `<i>.<j>.json` for job j.
 */
export interface SubmissionFile {
  readonly type: 'slurm-submission/1';
  /** In the comment of the Slurm job: the fingerprint of a single job, else the digest of all of them. */
  readonly key: string;
  /** Fingerprints by array task. */
  readonly tasks: readonly (readonly string[])[];
  /** The process that submits and waits. */
  readonly owner: {readonly pid: number; readonly processStart?: string; readonly host: string};
}

export interface TaskFile {
  readonly type: 'slurm-task/1';
  /** Major version of Node.js that the keys of the jobs name. */
  readonly nodeMajor: string;
  readonly env: Environment;
  readonly jobs: readonly Job[];
}

export interface ResultFile {
  readonly type: 'slurm-result/1';
  /** Folder that the job worked in, relative to the submission. */
  readonly work: string;
  readonly result: Result<JobResult, Failure>;
  readonly place: NonNullable<JobResult['place']>;
}

export const submissionName = 'submission.json';
/** Holds the number of the Slurm job, once it is known. */
export const jobIdName = 'job-id';
export const scriptName = 'run.sh';

export const taskName = (task: number): string => `${task}.task.json`;
export const eventsName = (task: number): string => `${task}.events.ndjson`;
export const outputName = (task: number): string => `${task}.out`;
export const resultName = (task: number, job: number): string => `${task}.${job}.json`;
/** @param start - how often Slurm started the task before: a host that is given up may yet work in the folder of its own start */
export const workName = (task: number, job: number, start: number): string => `${task}/${job}.${start}`;

/** The parsed file; undefined when it is not there, or is not whole. */
export function readJson<T extends {readonly type: string}>(path: string, type: T['type']): T | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<T> | null;
    return value?.type === type ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

/** The result of a job whose outputs still lie there. */
export function readResult(folder: string, task: number, job: number): ResultFile | undefined {
  const found = readJson<ResultFile>(join(folder, resultName(task, job)), 'slurm-result/1');
  return found && existsSync(join(folder, found.work)) ? found : undefined;
}
