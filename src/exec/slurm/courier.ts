import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {Failure} from '../../core/failure.ts';
import type {Job} from '../../core/ports.ts';
import {ok, type Result} from '../../core/result.ts';
import {distEntry} from '../dist-entry.ts';
import {travellingEnvironment, type Environment} from '../environment.ts';
import {shellQuote} from '../reproduce-script.ts';
import {taskName, type TaskFile} from './files.ts';
import type {Unit} from './submissions.ts';

/** What is to be submitted so that its tasks find their orders. */
export interface Dispatch {
  readonly script: string;
  /** Folder on the compute node that the script starts in. */
  readonly startIn: string;
  /** Where Slurm is to write what the script of a task prints; a pattern of `sbatch`. */
  readonly output: string;
}

/** What became of the results of one task that were looked for. */
export interface Brought {
  /** Jobs of the task that must be done again, and why. */
  readonly again: ReadonlyMap<number, Failure>;
  /** Why nothing more can be said. What the task left stays where it is. */
  readonly trouble?: Failure;
}

/** Takes orders to compute nodes, and results into the folder of the submission, where all others look for them. */
export interface Courier {
  /** Gets what the jobs read to where their node can have it. Returns those for which that is not possible, and why. */
  load(jobs: readonly Job[], signal: AbortSignal): Promise<ReadonlyMap<Job, Failure>>;
  /**
   * Leaves the orders of all tasks for them to find.
   *
   * @throws Error of the file system.
   */
  dispatch(folder: string, units: readonly Unit[], signal: AbortSignal): Promise<Result<Dispatch, Failure>>;
  /**
   * Brings results of a task that is over. Absent where they come by themselves.
   *
   * @param jobs - the jobs of the task that are waited for
   */
  readonly bring?: (folder: string, task: number, jobs: readonly number[]) => Promise<Brought>;
  /** What its own exit code says of a task that left no result. */
  readonly explain?: (exitCode: number) => Failure | undefined;
  /** What to look at when a task has left no result, and nothing says why. */
  readonly requirements: string;
  close(): void;
}

export interface SharedDiskOptions {
  /** Environment of the calling program. */
  readonly env: Environment;
  /** Node.js on the compute nodes; the one that runs here when absent. */
  readonly node?: string;
}

/** Compute nodes see the folder of the submission, and all that jobs read, under the same paths as this machine. */
export function sharedDisk({env, node = process.execPath}: SharedDiskOptions): Courier {
  return {
    requirements:
      'compute nodes must see the project, the cache, Node.js and mixdown under the same paths as this machine',
    load: async () => new Map(),
    async dispatch(folder, units) {
      await mkdir(folder, {recursive: true, mode: 0o700});
      for (const [index, jobs] of units.entries()) {
        const file: TaskFile = {type: 'slurm-task/1', ...conditions(env, jobs), jobs};
        await writeFile(join(folder, taskName(index)), JSON.stringify(file), {mode: 0o600});
      }
      const script = `#!/bin/sh
${chooseNode(node)}
exec "$node" --enable-source-maps ${shellQuote(distEntry('slurm/main'))} ${shellQuote(folder)}
`;
      // A `%` in the pattern of the output file means something.
      const output = `${folder.replaceAll('%', '%%')}/${units.length > 1 ? '%a' : '0'}.out`;
      return ok({script, startIn: folder, output});
    },
    close() {},
  };
}

/** What the jobs must find on their node. */
export function conditions(env: Environment, jobs: readonly Job[]): Pick<TaskFile, 'nodeMajor' | 'env'> {
  const [nodeMajor = ''] = process.versions.node.split('.');
  const passEnv = jobs.flatMap(({work}) => (work.type === 'command' ? work.command.passEnv : []));
  return {nodeMajor, env: travellingEnvironment(env, passEnv)};
}

/** Lines of a script after which `$node` is a program. */
export function chooseNode(path: string): string {
  return `node=${shellQuote(path)}\n[ -x "$node" ] || node=node`;
}
