import type {NodeId} from '../../core/pipeline.ts';
import type {PlanStatus} from '../../core/plan.ts';
import {graphText, type GraphFormat} from '../../report/graph-text.ts';
import {graphView} from '../../report/graph-view.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject, selectNodes} from '../load.ts';
import {planNodes} from '../planning.ts';
import {planPresent} from '../present.ts';

interface GraphOptions {
  readonly format: GraphFormat;
  readonly expand?: true;
  readonly status?: true;
}

export async function graphCommand(
  context: Context,
  patterns: readonly string[],
  options: GraphOptions,
): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const {pipeline, graph} = loaded.value;
  const selected = selectNodes(loaded.value, patterns, 'all');
  if (!selected.ok) return context.fail(selected.error);
  const statuses = new Map<NodeId, PlanStatus>();
  if (options.status) {
    const plan = patterns.length === 0 ? planPresent : planNodes;
    const planned = await plan(context, loaded.value, selected.value);
    if (!planned.ok) return context.fail(planned.error);
    for (const {node, status} of planned.value.plan.nodes) statuses.set(node.id, status);
  }
  const view = graphView(pipeline, graph, {
    expanded: options.expand ?? false,
    only: new Set(selected.value),
    statusOf: (node) => statuses.get(node),
  });
  if (view.edges.length === 0 && view.boxes.length > 1 && patterns.length > 0) {
    const upstream = patterns.map((pattern) => `'+${pattern}'`).join(' ');
    context.note(`no node here reads another one; with all that they are made of: mixdown graph ${upstream}`);
  }
  context.print(graphText(view, context.globals.json ? 'json' : options.format));
  return exitCodes.done;
}
