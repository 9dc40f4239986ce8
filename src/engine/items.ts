import {failure, type Failure} from '../core/failure.ts';
import type {Graph} from '../core/graph.ts';
import {joinCollections, type JoinedItem, type KeyClash} from '../core/join.ts';
import type {EachCollection, NodeId, PipelineNode} from '../core/pipeline.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {Tree} from '../core/tree.ts';
import {leftOutBefore} from './left-out.ts';
import {loadCollection, type BlobPorts} from './presence.ts';
import type {Artifacts} from './resolve.ts';

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
  ports: BlobPorts,
): Promise<Result<readonly Tree[], string>> {
  const trees: Tree[] = [];
  for (const {port, collection} of each) {
    const tree = await loadCollection(collection, artifacts, ports);
    if (!tree) return err(port);
    trees.push(tree);
  }
  return ok(trees);
}

/**
 * Joins the collections. An item that another collection lacks is left out when it was left out on the way to it, by a
 * slice that left an optional output unwritten; otherwise it is missing.
 */
export async function joinItems(
  node: PipelineNode,
  each: Each,
  trees: readonly Tree[],
  graph: Graph,
  artifacts: Artifacts,
  ports: BlobPorts,
): Promise<Result<Items, Failure>> {
  const joined = joinCollections(trees);
  if (!joined.ok) return err(collision(node.id, each, joined.error));
  const {items, lacking} = joined.value;
  const wasLeftOut = leftOutBefore(graph, artifacts, ports);
  for (const [index, keys] of lacking.entries()) {
    const lacks = each[index]!;
    const unexcused: string[] = [];
    for (const key of keys) if (!(await wasLeftOut(key, lacks.collection))) unexcused.push(key);
    if (unexcused.length > 0) return err(missing(node.id, each[0], lacks, unexcused));
  }
  return ok({items, unmatched: (trees[0]?.entries.length ?? 0) - items.length});
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
