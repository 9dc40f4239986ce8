import {failure, type Failure} from '../core/failure.ts';
import type {Graph} from '../core/graph.ts';
import {joinCollections, type JoinedItem, type KeyClash} from '../core/join.ts';
import type {ArtifactRef, EachCollection, NodeId, PipelineNode} from '../core/pipeline.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {Tree} from '../core/tree.ts';
import {loadTree} from './presence.ts';
import type {Artifacts} from './resolve.ts';
import type {PlanPorts} from './workspace.ts';

type Each = NonNullable<PipelineNode['each']>;

/** What an `each` node works on. */
export interface Items {
  /** One for each slice, in the order of the leading collection. */
  readonly items: readonly JoinedItem[];
  /** Items of the leading collection that another lacks because they were left out on the way to it. */
  readonly unmatched: number;
}

/**
 * The collections' entries: from the scan, from memory, or from their blobs.
 *
 * @returns the trees in the order of `each`; or the first port whose collection is not known or not in the store.
 */
export async function loadCollections(
  each: Each,
  artifacts: Artifacts,
  ports: Pick<PlanPorts, 'cas'>,
): Promise<Result<readonly Tree[], string>> {
  const trees: Tree[] = [];
  for (const {port, collection} of each) {
    const artifact = artifacts.of(collection);
    let tree: Tree | undefined;
    if (collection.from === 'source') ({tree} = artifacts.source(collection.source));
    else if (artifact) tree = await loadTree(artifact.digest, artifacts, ports.cas);
    if (!tree) return err(port);
    trees.push(tree);
  }
  return ok(trees);
}

/**
 * Joins the collections. An item that another collection lacks is left out when it may have been left out before, by a
 * slice that left an optional output unwritten; otherwise it is missing.
 */
export function joinItems(
  node: PipelineNode,
  each: Each,
  trees: readonly Tree[],
  graph: Graph,
): Result<Items, Failure> {
  const joined = joinCollections(trees);
  if (!joined.ok) return err(collision(node.id, each, joined.error));
  const {items, lacking} = joined.value;
  for (const [index, keys] of lacking.entries()) {
    const lacks = each[index];
    if (keys.length > 0 && lacks && !mayLackItems(lacks.collection, graph)) {
      return err(missing(node.id, each[0], lacks, keys));
    }
  }
  return ok({items, unmatched: (trees[0]?.entries.length ?? 0) - items.length});
}

/** True when a slice on the way to the collection may have left its item out. */
function mayLackItems(collection: ArtifactRef, graph: Graph): boolean {
  const seen = new Set<ArtifactRef>();
  const waiting = [collection];
  for (let ref = waiting.pop(); ref; ref = waiting.pop()) {
    if (ref.from === 'source' || seen.has(ref)) continue;
    seen.add(ref);
    const producer = graph.nodes[graph.indexOf.get(ref.node) ?? -1];
    if (!producer?.each) continue;
    if (producer.outputs[ref.output]?.optional) return true;
    for (const each of producer.each) waiting.push(each.collection);
  }
  return false;
}

function collision(node: NodeId, each: Each, {collection, key, paths: [a, b]}: KeyClash): Failure {
  const where = each.length === 1 ? '' : ` of ${each[collection]?.port}`;
  return failure('slice-key-collision', `${node}: the items ${a} and ${b}${where} share the key ${key}`, {
    node,
    hint: 'Items are told apart by their path without the extension. Rename one, or exclude it from the source.',
  });
}

const shown = 10;

function missing(node: NodeId, leading: EachCollection, lacks: EachCollection, keys: readonly string[]): Failure {
  const [items, have] = keys.length === 1 ? ['item', 'has'] : ['items', 'have'];
  const more = keys.length > shown ? ` and ${keys.length - shown} more` : '';
  const message =
    `${node}: ${keys.length} ${items} of ${leading.port} (${nameOf(leading)}) ${have} no partner in ` +
    `${lacks.port} (${nameOf(lacks)}): ${keys.slice(0, shown).join(', ')}${more}`;
  return failure('item-missing', message, {
    node,
    hint:
      'Items are joined by their path without the extension. Make the missing ones, or leave these out of ' +
      `${nameOf(leading)}.`,
  });
}

function nameOf({collection}: EachCollection): string {
  return collection.from === 'source' ? collection.source : `${collection.node}.${collection.output}`;
}
