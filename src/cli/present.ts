import {closure} from '../core/graph.ts';
import {refsOf, type NodeId} from '../core/pipeline.ts';
import {ok, type Result} from '../core/result.ts';
import type {Context} from './context.ts';
import type {Loaded} from './load.ts';
import {planNodes, type PlannedWork} from './planning.ts';
import {warnOnce} from './warnings.ts';
import {openWorkspace} from './workspace.ts';

/**
 * As planNodes, but when sources are missing, plans without the nodes that need them and notes their names: a pipeline may
 * have parts for data that only some have. Fails when no node is left.
 */
export async function planPresent(
  context: Pick<Context, 'warn' | 'note'>,
  loaded: Loaded,
  nodes: readonly NodeId[],
): Promise<Result<PlannedWork>> {
  const whole = await planNodes(context, loaded, nodes);
  if (whole.ok || whole.error.some(({code}) => code !== 'missing-source')) return whole;
  const missing = await missingSources(context, loaded);
  if (!missing.ok) return missing;
  const {graph} = loaded;
  const users = graph.nodes.flatMap((node, index) =>
    refsOf(node).some((ref) => ref.from === 'source' && missing.value.has(ref.source)) ? [index] : [],
  );
  const lacking = new Set([...closure(graph, users, 'consumers')].map((index) => graph.nodes[index]?.id));
  const shown = nodes.filter((id) => !lacking.has(id));
  if (shown.length === 0) return whole;
  const planned = await planNodes(context, loaded, shown);
  if (!planned.ok) return planned;
  const named = nodes.filter((id) => lacking.has(id)).map((id) => id.replace(/\[.*/, ''));
  const paths = [...missing.value.values()];
  context.note(`not shown, as sources are missing: ${listed(named)}\n  missing: ${listed(paths)}`);
  return planned;
}

/** Names and paths of the sources in use that cannot be scanned because they are not there. */
async function missingSources(
  context: Pick<Context, 'warn'>,
  {project, pipeline, graph}: Loaded,
): Promise<Result<ReadonlyMap<string, string>>> {
  const opened = openWorkspace(project, 'planning', warnOnce(context));
  if (!opened.ok) return opened;
  const used = new Set(
    graph.nodes.flatMap((node) => refsOf(node).flatMap((ref) => (ref.from === 'source' ? [ref.source] : []))),
  );
  const missing = new Map<string, string>();
  try {
    for (const [name, source] of Object.entries(pipeline.sources)) {
      if (!used.has(name)) continue;
      const scanned = await opened.value.sources.scan(source);
      if (!scanned.ok && scanned.error.every(({code}) => code === 'missing-source')) missing.set(name, source.path);
    }
  } finally {
    opened.value.close();
  }
  return ok(missing);
}

function listed(names: readonly string[]): string {
  return [...new Set(names)].sort().join(', ');
}
