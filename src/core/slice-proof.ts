import {isComplete, sliceFingerprinter, slicedPorts, type ActionResult, type SliceRecord} from './action.ts';
import {sameDigest, type Digest, type Sha256} from './digest.ts';
import {joinCollections} from './join.ts';
import {sliceSeed} from './seed.ts';
import {assembleSlices} from './slice.ts';
import type {Tree} from './tree.ts';

/**
 * Whether a list of slices says of a result no more than its outputs show: they are put together of just these slices, each
 * under the fingerprint of its own item. Whether the outputs are right is another question.
 *
 * @param collections - in the order of the sliced ports; undefined where one is not known. Then items of a single collection
 *   are taken from the list, and a list over several proves nothing.
 * @param treeOf - the tree that a slice made, by its digest
 */
export function isListOf(
  {action, outputs}: Pick<ActionResult, 'action' | 'outputs'>,
  slices: readonly SliceRecord[],
  collections: readonly Tree[] | undefined,
  treeOf: (digest: Digest) => Tree,
): boolean {
  const ports = slicedPorts(action);
  if (ports.length === 0 || !slices.every((slice) => isComplete(action, slice.outputs))) return false;
  const fingerprintOf = sliceFingerprinter(action);
  const of = (items: readonly Digest[], key: string): Sha256 => fingerprintOf(items, sliceSeed(action.seed, key));
  const joined = collections && joinCollections(collections);
  if (joined && !joined.ok) return false;
  const items = new Map(joined?.value.items.map(({key, entries}) => [key, entries.map(({digest}) => digest)]));
  const named = slices.every(({key, item, fingerprint}) => {
    const digests = joined ? items.get(key) : ports.length === 1 ? [item] : undefined;
    return digests !== undefined && of(digests, key) === fingerprint;
  });
  if (!named || new Set(slices.map(({key}) => key)).size < slices.length) return false;
  const made = assembleSlices(action.outputs, slices, treeOf);
  if (!made.ok) return false;
  return Object.entries(made.value).every(([name, {artifact}]) => {
    const told = outputs[name];
    return told !== undefined && sameDigest(told.digest, artifact.digest);
  });
}
