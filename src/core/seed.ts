import {sha256} from './digest.ts';
import {canonicalJson, type Scalar} from './json.ts';

/** A seed in 1 ... 2^31-1 from the run's seed and the node's identity: independent of order, machine and other nodes. */
export function nodeSeed(runSeed: number, name: string, variant: Readonly<Record<string, Scalar>>): number {
  return seedFrom(canonicalJson(['seed/1', runSeed, name, variant]));
}

/** The seed of one slice: the node's seed mixed with the item's key. Zero stays zero: the stage is not seeded. */
export function sliceSeed(seed: number, key: string): number {
  return seed === 0 ? 0 : seedFrom(canonicalJson(['slice-seed/1', seed, key]));
}

function seedFrom(text: string): number {
  const value = Number.parseInt(sha256(text).slice(0, 8), 16) & 0x7fffffff;
  return value === 0 ? 1 : value;
}
