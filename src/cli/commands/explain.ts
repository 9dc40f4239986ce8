import type {Action} from '../../core/action.ts';
import {canonicalJson, type Json} from '../../core/json.ts';
import type {Origin} from '../../core/origin.ts';
import type {PlannedNode} from '../../core/plan.ts';
import type {StaleReason} from '../../core/reason.ts';
import {countText} from '../../report/count-text.ts';
import {isStale} from '../../engine/plan.ts';
import {explainLines} from '../../report/explain-text.ts';
import {originText} from '../../report/origin-text.ts';
import {checkpointText, paintStatus} from '../../report/plan-text.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject, selectNodes} from '../load.ts';
import {planNodes} from '../planning.ts';
import {detailReasons} from '../reason-detail.ts';
import {lastStart} from '../records.ts';

/** What is said of one node. This is also its JSON shape. */
interface Explanation {
  readonly node: string;
  readonly status: PlannedNode['status'];
  readonly fingerprint?: string;
  readonly slices?: PlannedNode['slices'];
  readonly checkpoints?: number;
  /** Leaks that the pipeline accepts, without which it would not be what it is. */
  readonly acceptedLeaks?: readonly {readonly node: string; readonly reason: string}[];
  /** Who made the result that is there, when that was not here. */
  readonly borrowed?: Origin;
  /** Why it is stale; empty when it is not. */
  readonly reasons: readonly StaleReason[];
  /** The newest recorded run that executed it, and why. */
  readonly lastRun?: {readonly runId: string; readonly reasons: readonly StaleReason[]};
  readonly key?: Action;
}

const mostNodes = 20;

/** Why the nodes would run now, and why they ran last time, component by component. Runs and writes nothing. */
export async function explainCommand(
  context: Context,
  patterns: readonly string[],
  {key}: {readonly key?: true},
): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  const selected = selectNodes(loaded.value, patterns, 'all');
  if (!selected.ok) return context.fail(selected.error);
  const work = await planNodes(context, loaded.value, selected.value);
  if (!work.ok) return context.fail(work.error);
  const {plan, planned, workspace} = work.value;
  const {pipeline, acceptedLeaks} = loaded.value;
  const wanted = new Set(selected.value);
  const chosen = plan.nodes.filter(({node}) => wanted.has(node.id));
  const shown = context.globals.json ? chosen : chosen.slice(0, mostNodes);
  const explanations = shown.map(({node, status, fingerprint, reasons, slices, checkpoints, action}): Explanation => {
    const now = {
      blobs: workspace.store.blobs,
      artifacts: planned.artifacts,
      stages: [...Object.values(pipeline.stages), ...planned.engines.stages],
    };
    const last = lastStart(workspace.runs, node.id);
    const result = fingerprint !== undefined && !isStale(status) ? workspace.store.actions.get(fingerprint) : undefined;
    const leaks = acceptedLeaks.filter(({reached}) => reached.has(node.id));
    return {
      node: node.id,
      status,
      ...(fingerprint === undefined ? {} : {fingerprint}),
      ...(slices === undefined ? {} : {slices}),
      ...(checkpoints === undefined ? {} : {checkpoints}),
      ...(leaks.length === 0 ? {} : {acceptedLeaks: leaks.map(({name, reason}) => ({node: name, reason}))}),
      ...(result?.borrowed ? {borrowed: result.borrowed} : {}),
      reasons: detailReasons(node, reasons, now),
      ...(last === undefined ? {} : {lastRun: {...last, reasons: detailReasons(node, last.reasons, now)}}),
      ...(key && action ? {key: action} : {}),
    };
  });
  if (context.globals.json) {
    context.printJson(explanations);
    return exitCodes.done;
  }
  context.print(explanations.map((each) => explanationText(each, context)).join('\n\n'));
  if (chosen.length > shown.length) {
    context.note(`\n${countText(chosen.length - shown.length, 'node')} more; name fewer, or use --json`);
  }
  return exitCodes.done;
}

function explanationText(explanation: Explanation, {paint}: Context): string {
  const {
    node,
    status,
    reasons,
    slices,
    checkpoints = 0,
    acceptedLeaks = [],
    borrowed,
    lastRun,
    key,
    fingerprint,
  } = explanation;
  const lines = [`${paint.bold(node)}: ${paintStatus(status, paint)}${slicesText(slices)}`];
  lines.push(...nowLines(status, reasons));
  if (borrowed) lines.push(`  ${originText(borrowed)}`);
  lines.push(...checkpointText(checkpoints, 1).map((text) => `  ${text} that a stopped run left`));
  lines.push(...acceptedLeaks.map((leak) => `  leak accepted in \`${leak.node}\`: ${leak.reason}`));
  if (lastRun !== undefined) {
    lines.push(paint.dim(`ran in ${lastRun.runId} because:`));
    lines.push(...explainLines(lastRun.reasons).map((line) => `  ${line}`));
    if (lastRun.reasons.length === 0) lines.push('  one of its producers had run');
  }
  if (key !== undefined) lines.push(paint.dim(`key ${fingerprint ?? 'not known yet'}:`), ...keyLines(key));
  return lines.join('\n');
}

function nowLines(status: PlannedNode['status'], reasons: readonly StaleReason[]): readonly string[] {
  const lines = explainLines(reasons).map((line) => `  ${line}`);
  switch (status) {
    case 'up-to-date':
      return ['  nothing changed since its last result'];
    case 'cached':
      return ['  changed since its last result here, but the cache holds a result for what it is now'];
    case 'may-run':
      return [...lines, '  it runs only if one of these changes'];
    case 'will-run':
      return lines.length > 0 ? lines : ['  no result in the cache for what it is now'];
  }
}

function slicesText(slices: Explanation['slices']): string {
  return slices === undefined ? '' : `, ${slices.stale} of ${countText(slices.total, 'slice')} stale`;
}

/** One line per component, in the order of the action. */
function keyLines(action: Action): readonly string[] {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(action)) {
    if (value === undefined) continue;
    const nested = name === 'params' || name === 'inputs' || name === 'outputs' || name === 'toolchain';
    if (!nested)
      lines.push(`  ${name} ${typeof value === 'string' && value !== '' ? value : canonicalJson(value as Json)}`);
    else {
      for (const [member, part] of Object.entries(value as Record<string, Json>)) {
        lines.push(`  ${name}.${member} ${canonicalJson(part)}`);
      }
    }
  }
  return lines;
}
