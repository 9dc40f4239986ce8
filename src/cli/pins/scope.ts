import {closure} from '../../core/graph.ts';
import type {Sha256} from '../../core/digest.ts';
import {failure} from '../../core/failure.ts';
import type {NodeId, PipelineNode} from '../../core/pipeline.ts';
import type {Pins} from '../../core/pins.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {select} from '../../core/selection.ts';
import {engineFreeCode} from '../../core/stage-on-engine.ts';
import type {StageDeclaration} from '../../core/stage.ts';
import {parseTree, type Artifact} from '../../core/tree.ts';
import {takeApart, type Part} from '../../pins/take-apart.ts';
import {compareValues, type NodeResult, type ReadNumbers, type Values} from '../../pins/values.ts';
import type {Store} from '../../store/store.ts';
import type {Loaded} from '../load.ts';

/** What a lock is to pin: the nodes of its targets and all that they need, producers before consumers. */
export function pinnedNodes(
  {pipeline, graph}: Loaded,
  {targets}: Pick<Pins, 'targets'>,
): Result<readonly PipelineNode[]> {
  const selected = select(pipeline, graph, targets);
  if (!selected.ok) {
    const hint = 'name what it is to pin: mixdown lock TARGET…';
    return err(selected.error.map((each) => failure(each.code, `a target of the lock: ${each.message}`, {hint})));
  }
  const wanted = selected.value.map((id) => graph.indexOf.get(id)!);
  const indices = closure(graph, wanted, 'producers');
  return ok(graph.order.flatMap((index) => (indices.has(index) ? [graph.nodes[index]!] : [])));
}

/** Digests of the code of stages as pins know them, and the stages as they then are. */
export class PinnedCode {
  readonly #declared: Loaded['pipeline']['stages'];
  readonly #stages = new Map<string, StageDeclaration>();

  constructor({pipeline}: Pick<Loaded, 'pipeline'>) {
    this.#declared = pipeline.stages;
  }

  of({stage}: Pick<PipelineNode, 'stage'>): Sha256 {
    return this.#stage(stage).code;
  }

  get stages(): readonly StageDeclaration[] {
    return [...this.#stages.values()];
  }

  #stage(name: string): StageDeclaration {
    const known = this.#stages.get(name);
    if (known) return known;
    const declared = this.#declared[name];
    if (!declared) throw new Error(`stage ${name} is not declared`);
    const stage = {...declared, ...engineFreeCode(declared)};
    this.#stages.set(name, stage);
    return stage;
  }
}

/** Compares results with pins, node by node, reading from the store what must be read. */
export async function valuesOf(
  nodes: readonly PipelineNode[],
  resultOf: (node: NodeId) => NodeResult | undefined,
  pins: Pins,
  store: Store,
): Promise<ReadonlyMap<NodeId, Values>> {
  const read = numbersIn(store);
  const values = new Map<NodeId, Values>();
  for (const node of nodes) {
    const result = resultOf(node.id);
    if (result) values.set(node.id, await compareValues(node, result, pins.nodes.get(node.id), read));
  }
  return values;
}

export function numbersIn({cas}: Store): ReadNumbers {
  return async (artifact, as) => {
    const parts = await partsOf(artifact, cas);
    return parts === undefined ? undefined : takeApart(parts, as);
  };
}

/** The files of an artifact in the store; undefined when one is not there. */
async function partsOf(artifact: Artifact, cas: Store['cas']): Promise<readonly Part[] | undefined> {
  const part = (path: string, digest: Artifact['digest']): Part => ({
    path,
    hash: digest.hash,
    file: cas.pathOf(digest),
  });
  if (artifact.kind === 'file') return cas.holds(artifact.digest) ? [part('', artifact.digest)] : undefined;
  const text = await cas.read(artifact.digest);
  const tree = text && parseTree(new TextDecoder().decode(text));
  if (!tree?.entries.every(({digest}) => cas.holds(digest))) return undefined;
  return tree.entries.map(({path, digest}) => part(path, digest));
}
