import {statSync} from 'node:fs';
import {sameDigest, type Digest} from '../core/digest.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Plan} from '../core/plan.ts';
import type {Cas} from '../core/ports.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {Failure} from '../core/failure.ts';
import {parseTree, type Artifact} from '../core/tree.ts';
import type {BuildSummary} from '../engine/run-context.ts';
import type {Display} from '../report/summary.ts';
import type {Loaded} from './load.ts';
import {parseRecord} from './records.ts';
import type {Workspace} from './workspace.ts';

/** `out/<node>/<file name>` for an output of a target. */
export function resultPath(node: NodeId, name: string): string {
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

/** True when the newest run ended well and its `out/` still holds just what these targets have now. */
export async function resultsInPlace({graph}: Loaded, plan: Plan, {runs, store}: Workspace): Promise<boolean> {
  const latest = runs.latest();
  const folder = latest === undefined ? undefined : runs.open(latest);
  if (folder === undefined) return false;
  const record = parseRecord(folder.read('run.json'));
  if (record?.outcome !== 'done' || record.targets.join('\n') !== plan.targets.join('\n')) return false;
  const planned = new Map(plan.nodes.map((each) => [each.node.id, each]));
  const placed: {path: string; artifact: Artifact}[] = [];
  for (const id of plan.targets) {
    const node = graph.nodes[graph.indexOf.get(id) ?? -1];
    const before = record.nodes[id]?.outputs;
    const now = planned.get(id)?.outputs;
    if (before === undefined || now === undefined) return false;
    for (const [output, {name}] of Object.entries(node?.outputs ?? {})) {
      const [was, is] = [before[output], now[output]];
      if (was === undefined || is === undefined || !sameDigest(was.digest, is.digest)) return false;
      placed.push({path: `${folder.dir}/out/${resultPath(id, name)}`, artifact: is});
    }
  }
  for (const {path, artifact} of placed) if (!(await isPlaced(path, artifact, store.cas))) return false;
  return true;
}

/** By the sizes of its files: a look at a result must not cost reading it. */
async function isPlaced(path: string, {kind, digest}: Artifact, cas: Cas): Promise<boolean> {
  if (kind === 'file') return isFileOf(path, digest);
  const text = await cas.read(digest);
  const tree = text && parseTree(new TextDecoder().decode(text));
  return tree?.entries.every((entry) => isFileOf(`${path}/${entry.path}`, entry.digest)) ?? false;
}

function isFileOf(path: string, {size}: Digest): boolean {
  try {
    const found = statSync(path);
    return found.isFile() && found.size === size;
  } catch {
    return false;
  }
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
