import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {failure} from '../../core/failure.ts';
import {countText} from '../../report/count-text.ts';
import {removeTree} from '../../exec/remove-tree.ts';
import {sweepDeadRuns} from '../../exec/run-owner.ts';
import {openRunStore} from '../../store/run-store.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {displayPath, findProject, type Project} from '../project.ts';

interface CleanOptions {
  readonly runs?: true;
  readonly keep: number;
  readonly cache?: true;
  readonly yes?: true;
}

/** Removes what runs left behind. Work folders of living runs stay. JSON: `{removed: [path]}`. */
export async function cleanCommand(context: Context, options: CleanOptions): Promise<ExitCode> {
  const found = findProject(context);
  if (!found.ok) return context.fail(found.error);
  const project = found.value;
  const removed: string[] = [];
  const work = join(project.cacheDir, 'work');
  const before = names(work).length;
  await sweepDeadRuns(work);
  const left = names(work).length;
  if (before > left) removed.push(countText(before - left, 'abandoned work folder'));
  const failed = join(project.cacheDir, 'failed');
  if (names(failed).length > 0) {
    removed.push(countText(names(failed).length, 'folder of a failed job', 'folders of failed jobs'));
    await removeTree(failed);
  }
  if (options.runs) {
    const runs = openRunStore(project.runsDir);
    const old = runs.list().slice(options.keep);
    for (const id of old) runs.remove(id);
    if (old.length > 0) removed.push(countText(old.length, 'run record'));
  }
  if (options.cache && existsSync(project.cacheDir)) {
    const cleaned = await cleanCache(context, project, left, options.yes ?? false);
    if (cleaned !== 'removed') return cleaned;
    removed.push(displayPath(project.cacheDir, context.io.cwd));
  }
  if (context.globals.json) context.printJson({removed});
  else context.print(removed.length === 0 ? 'nothing to remove' : `removed ${removed.join(', ')}`);
  return exitCodes.done;
}

/** The cache may hold days of work, and may be shared with other checkouts, so it never goes without a yes. */
async function cleanCache(
  context: Context,
  project: Project,
  runningRuns: number,
  yes: boolean,
): Promise<'removed' | ExitCode> {
  const path = displayPath(project.cacheDir, context.io.cwd);
  if (runningRuns > 0) {
    return context.fail([
      failure('usage', `${countText(runningRuns, 'run')} may be using ${path} now`, {
        hint: 'wait for the end, then clean',
      }),
    ]);
  }
  if (!looksLikeCache(project.cacheDir)) {
    return context.fail([
      failure('usage', `${path} does not look like a mixdown cache`, {hint: 'it was not touched; check --cache'}),
    ]);
  }
  if (!yes) {
    const answer = await context.io.ask(`Delete ${path} with all results? [y/N] `);
    if (answer === undefined) {
      return context.fail([failure('usage', 'the cache is deleted only after a yes', {hint: 'add --yes'})]);
    }
    if (!/^y(es)?$/i.test(answer.trim())) {
      context.note('nothing was deleted');
      return exitCodes.done;
    }
  }
  await removeTree(project.cacheDir);
  return 'removed';
}

function looksLikeCache(dir: string): boolean {
  const known = ['cas', 'actions', 'stages', 'config', 'locks', 'sessions', 'checkouts', 'tmp', 'work', 'failed'];
  const found = names(dir);
  return found.length === 0 || known.some((name) => found.includes(name));
}

function names(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
