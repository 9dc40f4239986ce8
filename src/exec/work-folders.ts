import {renameSync} from 'node:fs';
import {chmod, mkdir, readdir, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {canonicalJson, type Json} from '../core/json.ts';
import type {Failure} from '../core/failure.ts';
import type {WorkFolders} from '../core/ports.ts';
import {distEntry} from './dist-entry.ts';
import type {Environment} from './environment.ts';
import {folderName} from './folder-name.ts';
import {isSpent, removeTree} from './remove-tree.ts';
import {keptJob, reproduceScript} from './reproduce-script.ts';
import {createRunFolder, sweepDeadRuns} from './run-owner.ts';

export interface WorkFolderOptions {
  /** Folder of all runs' job folders, on the store's file system. */
  readonly dir: string;
  /** Folder of kept failed jobs, on the same file system. */
  readonly failedDir: string;
  readonly runId: string;
  /** Environment of the calling program, for the scripts that run commands again. */
  readonly env: Environment;
  readonly nodePath?: string;
}

/** Job folders of one run. `close` removes what is left when the run ends. */
export interface RunWorkFolders extends WorkFolders {
  close(): Promise<void>;
}

const oldPrefix = '.old-';

/**
 * Makes the run's folder, after removing those of runs that died.
 *
 * @throws Error of the file system when the folder cannot be made.
 */
export async function createWorkFolders(options: WorkFolderOptions): Promise<RunWorkFolders> {
  const {dir, failedDir, runId, env, nodePath = process.execPath} = options;
  await sweepDeadRuns(dir);
  await removeReplaced(failedDir);
  const runFolder = await createRunFolder(dir, runId);
  const removals = new Set<Promise<void>>();
  /** Folders of earlier jobs with nothing in them: renaming one costs a tenth of making and removing two. */
  const spent: string[] = [];
  let count = 0;

  return {
    async create(node, slice) {
      const name = folderName(slice === undefined ? node : `${node}@${slice}`);
      const folder = join(runFolder, `${++count}-${name}`);
      const old = spent.pop();
      if (old === undefined || !tryRename(old, folder)) await mkdir(folder);
      return folder;
    },
    async remove(folder) {
      if (isSpent(folder)) {
        spent.push(folder);
        return;
      }
      const removal = removeTree(folder);
      removals.add(removal);
      await removal;
      removals.delete(removal);
    },
    async keep(folder, job, cause) {
      const name = folderName(job.slice === undefined ? job.node : `${job.node}@${job.slice}`);
      const kept = join(failedDir, name);
      try {
        await mkdir(failedDir, {recursive: true});
        await writeFile(join(folder, 'job.json'), canonicalJson(keptJob(job, kept) as unknown as Json));
        await writeFile(join(folder, 'failure.txt'), failureText(cause));
        await writeFile(join(folder, 'log.txt'), '', {flag: 'a'});
        const script = join(folder, 'reproduce.sh');
        await writeFile(script, reproduceScript(job, {env, nodePath, entry: distEntry('reproduce-main')}));
        await chmod(script, 0o755);
        await replace(folder, kept, join(failedDir, `${oldPrefix}${runId}-${++count}`));
        return kept;
      } catch {
        await removeTree(folder);
        return undefined;
      }
    },
    async close() {
      await Promise.all(removals);
      await removeTree(runFolder);
    },
  };
}

function tryRename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Moves the folder to `kept`; what lay there is renamed first, so that `kept` is always one whole job. */
async function replace(folder: string, kept: string, old: string): Promise<void> {
  try {
    await rename(kept, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await rename(folder, kept);
  await removeTree(old);
}

/** Folders that were replaced by a run that died before it removed them. */
async function removeReplaced(failedDir: string): Promise<void> {
  const names = await readdir(failedDir).catch(() => []);
  for (const name of names) {
    if (name.startsWith(oldPrefix)) await removeTree(join(failedDir, name));
  }
}

function failureText({code, message, hint, stack}: Failure): string {
  return [`${code}: ${message}`, stack, hint && `hint: ${hint}`].filter(Boolean).join('\n') + '\n';
}
