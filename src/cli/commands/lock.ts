import {failure} from '../../core/failure.ts';
import {countText} from '../../report/count-text.ts';
import {nodesText} from '../../report/check-text.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject} from '../load.ts';
import {resultsOf} from '../pins/check.ts';
import {pinFileOf, readPins} from '../pins/file.ts';
import {keepPins} from '../pins/keeper.ts';
import {pinnedNodes} from '../pins/scope.ts';
import {keptText} from '../pins/report.ts';
import {planNodes} from '../planning.ts';
import {displayPath} from '../project.ts';
import {sameOptions} from '../same-options.ts';

/** Pins the results that are here, of these targets and all that they need. Runs nothing. */
export async function lockCommand(context: Context, patterns: readonly string[]): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const path = pinFileOf(context, loaded.value.project);
  if (path === undefined) return context.fail([setWithoutFile]);
  const shown = displayPath(path, context.io.cwd);
  const before = readPins(context, loaded.value.project);
  if (!before.ok) return context.fail(before.error);
  const targets = patterns.length > 0 ? patterns : (before.value?.targets ?? ['default']);
  const nodes = pinnedNodes(loaded.value, {targets});
  if (!nodes.ok) return context.fail(nodes.error);
  const ids = nodes.value.map(({id}) => id);
  const work = await planNodes(context, loaded.value, ids, {}, `writing ${shown}`);
  if (!work.ok) return context.fail(work.error);
  const {plan, workspace} = work.value;
  try {
    const results = resultsOf(plan);
    const lacking = plan.nodes.filter(({node}) => !results.has(node.id));
    if (lacking.length > 0) {
      const those = nodesText(lacking.map(({node}) => node.id));
      const message = `${countText(lacking.length, 'node')} to be pinned ${lacking.length === 1 ? 'is' : 'are'} not built: ${those}`;
      const named = targets.filter((target) => target !== 'default').map(quoted);
      const command = ['mixdown run', ...named].join(' ') + sameOptions(context.globals);
      return context.fail([failure('not-built', message, {hint: `build first: ${command}`})]);
    }
    const kept = await keepPins({
      loaded: loaded.value,
      work: work.value,
      lock: {path, shown},
      resultOf: (id) => results.get(id),
      accept: new Map(),
      targets,
    });
    if (!kept.ok) return context.fail(kept.error);
    if (kept.value === undefined || kept.value === 'settled') throw new Error('lockCommand: nothing was written');
    if (context.globals.json) {
      const {pinned, dropped, drifted, held, pins, written} = kept.value;
      context.printJson({
        type: 'pinning/1',
        file: shown,
        written,
        nodes: pins.nodes.size,
        pinned,
        dropped,
        drifted,
        held,
      });
    } else {
      context.print(keptText(kept.value, shown, context));
    }
    return kept.value.drifted.length > 0 ? exitCodes.stale : exitCodes.done;
  } finally {
    workspace.close();
  }
}

export const setWithoutFile = failure('usage', 'with --set there is no lock: nobody stands by such results', {
  hint: 'name a file for them with --lock FILE',
});

function quoted(word: string): string {
  return /^[\w./+-]+$/.test(word) ? word : `'${word}'`;
}
