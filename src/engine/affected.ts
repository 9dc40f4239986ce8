import {fingerprintOf} from '../core/action.ts';
import type {AffectedNode, AffectedReason, SourceText} from '../core/affected.ts';
import {codeChanges} from '../core/changes.ts';
import {sha256, type Digest} from '../core/digest.ts';
import {explainAction} from '../core/explain.ts';
import {closure, type Graph} from '../core/graph.ts';
import {canonicalJson} from '../core/json.ts';
import {refsByPort, refsOf, type ArtifactRef, type NodeId, type Pipeline, type Source} from '../core/pipeline.ts';
import type {TensorEngines} from '../core/ports.ts';
import type {EntryChanges, StaleReason} from '../core/reason.ts';
import type {Gpu} from '../core/resources.ts';
import type {StageDeclaration} from '../core/stage.ts';
import type {EngineName} from '../core/tensor-engine.ts';
import {ChosenEngines} from './chosen-engines.ts';
import {Artifacts, resolveAction, type Resolution} from './resolve.ts';
import type {Toolchain} from './workspace.ts';

/** A pipeline at one of two moments that are compared. */
export interface Moment {
  readonly pipeline: Pipeline;
  readonly graph: Graph;
}

/** How the bytes of a source differ; the entries are absent for a file. */
export interface SourceChange {
  readonly entries?: EntryChanges;
}

export interface AffectedQuestion {
  readonly before: Moment;
  readonly after: Moment;
  /** The nodes of `after` that are wanted; what they need is looked at too. */
  readonly targets: readonly NodeId[];
  /** By name, the sources that have the same declaration at both moments and other bytes. */
  readonly changedSources: ReadonlyMap<string, SourceChange>;
  readonly toolchain: Toolchain;
  /** As for a plan. */
  readonly engine?: EngineName;
}

/**
 * The nodes whose results are made from something else than at an earlier moment, producers before consumers. Reads no
 * result: as in a basis, what stands for a node's artifacts is a hash over all that they are made from.
 */
export async function affectedNodes(question: AffectedQuestion): Promise<readonly AffectedNode[]> {
  const {before, after, targets, changedSources} = question;
  const wanted = closureOf(after.graph, targets);
  const was = await resolveAll(before, closureOf(before.graph, before.graph.indexOf.keys()), new Map(), question);
  const is = await resolveAll(after, wanted, changedSources, question);
  const affected: AffectedNode[] = [];
  for (const index of after.graph.order) {
    if (!wanted.has(index)) continue;
    const {id, name, stage} = after.graph.nodes[index]!;
    const [left, right] = [was.get(id), is.get(id)!];
    if (left === undefined) {
      affected.push({node: id, name, stage, root: true, reasons: [{kind: 'node-added'}]});
      continue;
    }
    const reasons = explainAction(left.action, right.action).flatMap((reason) => reword(reason, left, right, question));
    if (reasons.length === 0) continue;
    affected.push({node: id, name, stage, root: reasons.some(({kind}) => kind !== 'upstream'), reasons: once(reasons)});
  }
  return affected;
}

/** A node at one moment. Digests of its inputs stand for what they are made from. */
interface Resolved extends Pick<Resolution, 'action'> {
  readonly stage: StageDeclaration;
  readonly refs: ReadonlyMap<string, readonly ArtifactRef[]>;
}

async function resolveAll(
  {pipeline, graph}: Moment,
  indices: ReadonlySet<number>,
  changedSources: AffectedQuestion['changedSources'],
  {toolchain, engine}: AffectedQuestion,
): Promise<ReadonlyMap<NodeId, Resolved>> {
  const nodes = graph.order.flatMap((index) => (indices.has(index) ? [graph.nodes[index]!] : []));
  const sources = new Map(
    nodes.flatMap(refsOf).flatMap((ref) => {
      if (ref.from === 'node') return [];
      const source = pipeline.sources[ref.source]!;
      const digest = standIn(canonicalJson({...textOf(source), changed: changedSources.has(ref.source)}));
      return [[ref.source, {artifact: {kind: 'file', digest}, path: source.path}] as const];
    }),
  );
  const artifacts = new Artifacts(sources);
  const engines = await ChosenEngines.choose(nodes, pipeline.stages, anyMachine, engine);
  const resolved = new Map<NodeId, Resolved>();
  for (const node of nodes) {
    const {action} = resolveAction(node, engines, toolchain, artifacts);
    const made = fingerprintOf(action);
    const outputs = Object.keys(node.outputs).map((output) => {
      return [output, {kind: 'file', digest: standIn(canonicalJson([made, output]))}] as const;
    });
    artifacts.settle(node.id, Object.fromEntries(outputs));
    resolved.set(node.id, {action, stage: engines.stageOf(node), refs: new Map(refsByPort(node))});
  }
  return resolved;
}

/** A machine with everything: which nodes differ must not depend on where it is asked. */
const anyMachine: TensorEngines = {
  check: () => Promise.resolve({works: true, versions: {}, gflops: 1, wallMs: 0}),
  devices: () => Promise.resolve(Array.from({length: 64}, (_, index) => ({...largestGpu, index}))),
};

const largestGpu: Gpu = {uuid: '', index: 0, name: '', memoryMiB: Infinity};

/** Says of an input what differs, where a comparison of actions only knows that something does. */
function reword(
  reason: StaleReason,
  before: Resolved,
  after: Resolved,
  {before: {pipeline: was}, after: {pipeline: is}, changedSources}: AffectedQuestion,
): readonly AffectedReason[] {
  if (reason.kind === 'code-changed') {
    return [{...reason, files: codeChanges(before.stage.manifest, after.stage.manifest)}];
  }
  if (reason.kind !== 'input-changed' && reason.kind !== 'input-count-changed') return [reason];
  const {input} = reason;
  const left = before.refs.get(input) ?? [];
  const right = after.refs.get(input) ?? [];
  const [leftTexts, rightTexts] = [left.map(refText), right.map(refText)];
  if (leftTexts.join('\n') !== rightTexts.join('\n')) {
    return [{kind: 'binding-changed', input, before: leftTexts, after: rightTexts}];
  }
  const ref = right[reason.kind === 'input-changed' ? (reason.index ?? 0) : 0];
  if (ref === undefined) return [reason];
  if (ref.from === 'node') return [{kind: 'upstream', input, node: ref.node}];
  const {source} = ref;
  const [declaredBefore, declaredAfter] = [textOf(was.sources[source]!), textOf(is.sources[source]!)];
  if (canonicalJson(declaredBefore) !== canonicalJson(declaredAfter)) {
    return [{kind: 'source-changed', input, source, declared: {before: declaredBefore, after: declaredAfter}}];
  }
  const {entries} = changedSources.get(source) ?? {};
  return [{kind: 'source-changed', input, source, ...(entries === undefined ? {} : {entries})}];
}

function once(reasons: readonly AffectedReason[]): readonly AffectedReason[] {
  const told = new Map(reasons.map((reason) => [JSON.stringify(reason), reason]));
  return [...told.values()];
}

function textOf({path, include, exclude}: Source): {-readonly [K in keyof SourceText]: SourceText[K]} {
  return {path, include, exclude};
}

function refText(ref: ArtifactRef): string {
  return ref.from === 'source' ? ref.source : `${ref.node}.${ref.output}`;
}

function standIn(text: string): Digest {
  return {hash: sha256(text), size: 0};
}

function closureOf(graph: Graph, ids: Iterable<NodeId>): ReadonlySet<number> {
  return closure(
    graph,
    [...ids].flatMap((id) => graph.indexOf.get(id) ?? []),
    'producers',
  );
}
