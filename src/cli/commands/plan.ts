import {narrowPlan, planJson, planText, statusText} from '../../report/plan-text.ts';
import {noteAcceptedLeaks} from '../accepted-leaks.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject, selectNodes} from '../load.ts';
import {obstaclesOf, planNodes, type PlanOptions} from '../planning.ts';
import {planPresent} from '../present.ts';

/** `plan`, and `run --dry-run`: what a run of these targets would do. */
export async function planCommand(
  context: Context,
  patterns: readonly string[],
  options: PlanOptions,
): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const targets = selectNodes(loaded.value, patterns, 'default');
  if (!targets.ok) return context.fail(targets.error);
  const planned = await planNodes(context, loaded.value, targets.value, {...options, remoteOf: context.io});
  if (!planned.ok) return context.fail(planned.error);
  const {plan, expectedMs, workspace} = planned.value;
  workspace.remote?.tellRefused();
  const obstacles = obstaclesOf(plan);
  if (obstacles.length > 0) return context.fail(obstacles);
  noteAcceptedLeaks(
    context,
    loaded.value.acceptedLeaks,
    plan.nodes.map(({node}) => node),
  );
  const {json, verbose} = context.globals;
  if (json) context.printJson(planJson(plan, expectedMs));
  else context.print(planText(plan, expectedMs, context.paint, verbose));
  return exitCodes.done;
}

/** `status`: where every node stands. */
export async function statusCommand(context: Context, patterns: readonly string[]): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const selected = selectNodes(loaded.value, patterns, 'all');
  if (!selected.ok) return context.fail(selected.error);
  // What was asked for by name must be there.
  const make = patterns.length === 0 ? planPresent : planNodes;
  const planned = await make(context, loaded.value, selected.value);
  if (!planned.ok) return context.fail(planned.error);
  const plan = narrowPlan(planned.value.plan, new Set(selected.value));
  const {json, verbose} = context.globals;
  if (json) context.printJson(planJson(plan, undefined));
  else context.print(statusText(plan, context.paint, verbose));
  return exitCodes.done;
}
