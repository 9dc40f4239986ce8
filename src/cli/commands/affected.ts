import {failure} from '../../core/failure.ts';
import type {NodeId} from '../../core/pipeline.ts';
import {ok, type Result} from '../../core/result.ts';
import {affectedText} from '../../report/affected-text.ts';
import {countText} from '../../report/count-text.ts';
import {findAffected, type Affected} from '../git/affected.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject, selectNodes, type Loaded} from '../load.ts';

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

/** Those of the targets that are affected; undefined, and that is said, when none is. */
export async function affectedTargets(
  context: Context,
  loaded: Loaded,
  patterns: readonly string[],
  since: string,
): Promise<Result<readonly NodeId[] | undefined>> {
  const targets = selectNodes(loaded, patterns, 'default');
  if (!targets.ok) return targets;
  const found = await findAffected(loaded, context.globals, targets.value, since);
  if (!found.ok) return found;
  const affected = found.value;
  const ids = new Set(affected.nodes.map(({node}) => node));
  const wanted = targets.value.filter((id) => ids.has(id));
  noteGaps(context, affected);
  if (wanted.length > 0) {
    context.note(`${wanted.length} of ${countText(targets.value.length, 'target')} affected since ${since}`);
    return ok(wanted);
  }
  if (!context.globals.quiet && !context.globals.json)
    context.print(affectedText(partsOf(affected), context.paint, false));
  return ok(undefined);
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
