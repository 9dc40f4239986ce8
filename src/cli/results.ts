import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {sameDigest} from '../core/digest.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Plan} from '../core/plan.ts';
import type {Cas} from '../core/ports.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {Failure} from '../core/failure.ts';
import type {Artifact} from '../core/tree.ts';
import type {BuildSummary} from '../engine/run-context.ts';
import type {Display} from '../report/summary.ts';
import type {RunStore} from '../store/run-store.ts';
import type {Loaded} from './load.ts';
import {parseRecord} from './records.ts';
import type {Workspace} from './workspace.ts';

/** `out/<node>/<file name>` for an output of a target. */
function resultPath(node: NodeId, name: string): string {
  return `${node.replaceAll(/[/\\\0]/g, '_')}/${name}`;
}

/** Puts the targets' artifacts under readable names into the run's `out/`. What the run did not make is left out. */
export async function linkResults(
  loaded: Loaded,
  summary: BuildSummary,
  workspace: Workspace,
  runId: string,
): Promise<Result<void>> {
  const folder = workspace.runs.open(runId);
  if (folder === undefined) return ok(undefined);
  const failures: Failure[] = [];
  for (const {node, name, artifact} of targetOutputs(loaded, summary)) {
    const linked = await folder.linkOut(resultPath(node, name), artifact, workspace.store.files);
    if (!linked.ok) failures.push(...linked.error);
  }
  return failures.length > 0 ? err(failures) : ok(undefined);
}

/** True when the newest run ended well and its `out/` holds just what these targets have now. */
export function resultsInPlace({graph}: Loaded, plan: Plan, runs: RunStore): boolean {
  const latest = runs.latest();
  const folder = latest === undefined ? undefined : runs.open(latest);
  if (folder === undefined) return false;
  const record = parseRecord(folder.read('run.json'));
  if (record?.outcome !== 'done' || record.targets.join('\n') !== plan.targets.join('\n')) return false;
  const planned = new Map(plan.nodes.map((each) => [each.node.id, each]));
  return plan.targets.every((id) => {
    const node = graph.nodes[graph.indexOf.get(id) ?? -1];
    const before = record.nodes[id]?.outputs;
    const now = planned.get(id)?.outputs;
    if (before === undefined || now === undefined) return false;
    return Object.entries(node?.outputs ?? {}).every(([output, {name}]) => {
      const [was, is] = [before[output], now[output]];
      return (
        was !== undefined &&
        is !== undefined &&
        sameDigest(was.digest, is.digest) &&
        existsSync(join(folder.dir, 'out', resultPath(id, name)))
      );
    });
  });
}

/** The text outputs of the targets that their stages want shown. */
export async function displays(loaded: Loaded, summary: BuildSummary, cas: Cas): Promise<readonly Display[]> {
  const found: Display[] = [];
  for (const {node, output, artifact, display} of targetOutputs(loaded, summary)) {
    if (!display || artifact.kind !== 'file' || artifact.digest.size > mostDisplayBytes) continue;
    const bytes = await cas.read(artifact.digest);
    if (bytes !== undefined) found.push({node, output, text: new TextDecoder().decode(bytes)});
  }
  return found;
}

const mostDisplayBytes = 256 * 1024;

interface TargetOutput {
  readonly node: NodeId;
  readonly output: string;
  readonly name: string;
  readonly display: boolean;
  readonly artifact: Artifact;
}

function targetOutputs({graph}: Loaded, summary: BuildSummary): readonly TargetOutput[] {
  return summary.plan.targets.flatMap((id) => {
    const node = graph.nodes[graph.indexOf.get(id) ?? -1];
    const outputs = summary.nodes.get(id)?.outputs ?? {};
    return Object.entries(node?.outputs ?? {}).flatMap(([output, {name, display = false}]) => {
      const artifact = outputs[output];
      return artifact === undefined ? [] : [{node: id, output, name, display, artifact}];
    });
  });
}
