import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {failure} from '../../core/failure.ts';
import {countText} from '../../report/count-text.ts';
import {removeTree} from '../../exec/remove-tree.ts';
import {sweepDeadRuns} from '../../exec/run-owner.ts';
import {listCheckpoints} from '../../store/checkpoints.ts';
import {storeLayout} from '../../store/layout.ts';
import {openRunStore} from '../../store/run-store.ts';
import {openStore} from '../../store/store.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {displayPath, findProject, type Project} from '../project.ts';
import {warnOnce} from '../warnings.ts';

interface CleanOptions {
  readonly runs?: true;
  readonly keep: number;
  /** What stopped jobs would go on from too. */
  readonly checkpoints?: true;
  /** The cache too. */
  readonly all?: true;
  readonly yes?: true;
}

/** Removes what runs left behind. Work folders of living runs stay. JSON: `{removed: [text]}`. */
export async function cleanCommand(context: Context, options: CleanOptions): Promise<ExitCode> {
  const found = findProject(context);
  if (!found.ok) return context.fail(found.error);
  const project = found.value;
  if (!isCache(project.cacheDir)) {
    const path = displayPath(project.cacheDir, context.io.cwd);
    return context.fail([
      failure('usage', `${path} does not look like a mixdown cache`, {hint: 'nothing was deleted; check --cache'}),
    ]);
  }
  const removed = [...(await cleanWork(project)), ...(await cleanCluster(context, project))];
  if (options.checkpoints) removed.push(...cleanCheckpoints(context, project));
  if (options.all && existsSync(project.cacheDir)) {
    const refused = await refusal(context, project, options.yes ?? false);
    if (refused !== undefined) {
      if (refused === exitCodes.done && context.globals.json) context.printJson({removed});
      return refused;
    }
    await removeCache(project.cacheDir);
    removed.push(displayPath(project.cacheDir, context.io.cwd));
  }
  if (options.runs || options.all) {
    const runs = openRunStore(project.runsDir);
    const old = runs.list().slice(options.keep);
    for (const id of old) runs.remove(id);
    if (old.length > 0) removed.push(countText(old.length, 'run record'));
  }
  if (context.globals.json) context.printJson({removed});
  else context.print(removed.length === 0 ? 'nothing to remove' : `removed ${removed.join(', ')}`);
  return exitCodes.done;
}

async function cleanWork({cacheDir}: Project): Promise<readonly string[]> {
  const [work, failed] = [join(cacheDir, 'work'), join(cacheDir, 'failed')];
  const before = names(work).length;
  await sweepDeadRuns(work);
  const abandoned = before - names(work).length;
  const kept = names(failed).length;
  await removeTree(failed);
  return [
    ...(abandoned > 0 ? [countText(abandoned, 'abandoned work folder')] : []),
    ...(kept > 0 ? [countText(kept, 'folder of a failed job', 'folders of failed jobs')] : []),
  ];
}

/** Jobs on a cluster that no run waits for: they are cancelled, and what they made is removed. */
async function cleanCluster({io}: Context, {cacheDir}: Project): Promise<readonly string[]> {
  const dir = join(cacheDir, 'slurm');
  if (names(dir).length === 0) return [];
  const {discardLeftovers} = await import('../../exec/slurm/leftovers.ts');
  const {createSlurmClient} = await import('../../exec/slurm/client.ts');
  const count = await discardLeftovers(dir, createSlurmClient(io.env), io.now());
  return count > 0 ? [countText(count, 'abandoned submission')] : [];
}

/** All that no running job has. */
function cleanCheckpoints(context: Context, {cacheDir}: Project): readonly string[] {
  const opened = openStore({dir: cacheDir, warn: warnOnce(context), what: 'clean'});
  if (!opened.ok) return [];
  const {checkpoints} = opened.value;
  const listed = listCheckpoints(opened.value.layout.checkpoints);
  const gone = listed.filter(({fingerprint}) => {
    const checkpoint = checkpoints.take(fingerprint);
    checkpoint?.discard();
    return checkpoint !== undefined;
  });
  opened.value.close();
  return gone.length > 0 ? [countText(gone.length, 'checkpoint')] : [];
}

/**
 * Undefined when the cache may be deleted. It may hold days of work, and may be shared with other checkouts, so it never
 * goes without a yes.
 */
async function refusal(context: Context, project: Project, yes: boolean): Promise<ExitCode | undefined> {
  const path = displayPath(project.cacheDir, context.io.cwd);
  const running = names(join(project.cacheDir, 'work')).length;
  if (running > 0) {
    return context.fail([
      failure('usage', `${countText(running, 'run')} may be using ${path} now`, {hint: 'wait for the end, then clean'}),
    ]);
  }
  if (yes) return undefined;
  const answer = await context.io.ask(`Delete ${path} with all results? [y/N] `);
  if (answer === undefined) {
    return context.fail([failure('usage', 'the cache is deleted only after a yes', {hint: 'add --yes'})]);
  }
  if (/^y(es)?$/i.test(answer.trim())) return undefined;
  context.note('nothing was deleted');
  return exitCodes.done;
}

/** Who is not trusted any more is not forgotten along with what they made. */
async function removeCache(dir: string): Promise<void> {
  if (!existsSync(storeLayout(dir).distrusted)) return removeTree(dir);
  for (const name of names(dir)) {
    const path = join(dir, name);
    if (path !== storeLayout(dir).distrusted) await removeTree(path);
  }
}

/** A wrong --cache must not cost anybody a folder that happens to have the name of one of ours. */
function isCache(dir: string): boolean {
  return names(dir).every((name) => ownNames.has(name));
}

const ownNames: ReadonlySet<string> = new Set(
  'cas actions stages config engines locks checkpoints sessions checkouts tmp work failed slurm quarantine stat.bin distrusted.json'.split(
    ' ',
  ),
);

function names(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
