import {failure} from '../../core/failure.ts';
import {affectedText} from '../../report/affected-text.ts';
import {countText} from '../../report/count-text.ts';
import {findAffected, type Affected} from '../affected.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject, selectNodes} from '../load.ts';
import type {RunOptions} from './run.ts';

interface AffectedOptions {
  readonly since: string;
  readonly names?: true;
}

/** Which nodes differ because of what changed since a revision. Runs and writes nothing, and needs no result. */
export async function affectedCommand(
  context: Context,
  patterns: readonly string[],
  {since, names}: AffectedOptions,
): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const targets = selectNodes(loaded.value, patterns, 'default');
  if (!targets.ok) return context.fail(targets.error);
  const found = await findAffected(loaded.value, context.globals, targets.value, since);
  if (!found.ok) return context.fail(found.error);
  const affected = found.value;
  if (context.globals.json) {
    context.printJson(affectedJson(affected));
    return exitCodes.done;
  }
  if (names) context.print(affected.nodes.map(({node}) => node).join('\n'));
  else context.print(affectedText(partsOf(affected), context.paint, context.globals.verbose));
  noteGaps(context, affected);
  return exitCodes.done;
}

/** Runs those of the targets that are affected, when any is. */
export async function runAffected(
  context: Context,
  patterns: readonly string[],
  {since, ...options}: RunOptions & {readonly since: string},
  run: (context: Context, patterns: readonly string[], options: RunOptions) => Promise<ExitCode>,
): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const targets = selectNodes(loaded.value, patterns, 'default');
  if (!targets.ok) return context.fail(targets.error);
  const found = await findAffected(loaded.value, context.globals, targets.value, since);
  if (!found.ok) return context.fail(found.error);
  const affected = found.value;
  const ids = new Set(affected.nodes.map(({node}) => node));
  const wanted = targets.value.filter((id) => ids.has(id));
  noteGaps(context, affected);
  if (wanted.length > 0) {
    context.note(`${wanted.length} of ${countText(targets.value.length, 'target')} affected since ${since}`);
    return run(context, wanted, options);
  }
  if (!context.globals.quiet && !context.globals.json)
    context.print(affectedText(partsOf(affected), context.paint, false));
  return exitCodes.done;
}

function partsOf({revision, ...rest}: Affected): Parameters<typeof affectedText>[0] {
  return {since: revision.name, commit: revision.commit, ...rest};
}

/** What was taken as unchanged, on stderr. */
function noteGaps({note, warn}: Context, {notCompared, unreadLock}: Affected): void {
  if (notCompared.length > 0) {
    const list = notCompared.map(
      ({source, path, why}) => `${source} (${path}${why === 'partly-ignored' ? ', in part' : ''})`,
    );
    note(`taken as unchanged, as git does not keep it: ${list.join(', ')}`);
  }
  if (unreadLock === undefined) return;
  const hint = 'mixdown reads the versions in package-lock.json; others are taken as unchanged';
  warn(failure('unknown-revision', `${unreadLock} changed, and it is not known which packages`, {hint}));
}

function affectedJson({revision, total, nodes, removed, notCompared, unreadLock, trouble}: Affected): object {
  return {
    type: 'affected/1',
    since: revision.name,
    commit: revision.commit,
    total,
    nodes: nodes.map(({node, stage, root, reasons}) => ({node, stage, cause: root ? 'changed' : 'follows', reasons})),
    removed,
    notCompared,
    ...(unreadLock === undefined ? {} : {unreadLock}),
    ...(trouble === undefined ? {} : {trouble}),
  };
}
