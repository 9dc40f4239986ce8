import type {CompareForm} from './compare.ts';
import type {Sha256} from './digest.ts';
import type {Json} from './json.ts';
import type {NodeId} from './pipeline.ts';

/** What `mixdown.lock` holds: the results that a project stands by, and what they were made from. */
export interface Pins {
  /** Selections whose nodes, and the nodes those need, are pinned; as the user wrote them. */
  readonly targets: readonly string[];
  readonly nodes: ReadonlyMap<NodeId, Pin>;
}

/** One node's pinned result. */
export interface Pin {
  readonly stage: string;
  /** Digest of the stage's CodeManifest without the packages of tensor engines, which differ from machine to machine. */
  readonly code: Sha256;
  readonly params: Json;
  readonly seed: number;
  readonly toolchain: Readonly<Record<string, string>>;
  /** Absent when the node has none. */
  readonly salt?: string;
  /** As of an action: the ports that receive one item at a time. */
  readonly each?: string | readonly string[];
  readonly inputs: Readonly<Record<string, PinnedInput>>;
  readonly outputs: Readonly<Record<string, PinnedOutput>>;
  readonly metrics: Readonly<Record<string, number>>;
  /** Why other values were taken over from an earlier pin although nothing that they were made from had changed. */
  readonly accepted?: {readonly reason: string; /** ISO 8601 date. */ readonly on: string};
}

/** A port of one artifact has its hash; a fan-in of `many` has the hash of the list of hashes, so that a line stays short. */
export type PinnedInput = Sha256 | {readonly many: number; readonly hash: Sha256};

export interface PinnedOutput {
  readonly kind: 'file' | 'tree';
  readonly hash: Sha256;
  /** Bytes, of all files. */
  readonly size: number;
  /** Of a tree. */
  readonly files?: number;
  /** Of an output that is compared as numbers. */
  readonly numbers?: PinnedNumbers;
}

/** An output taken apart: everything that is no number, and the numbers in order. */
export interface PinnedNumbers {
  readonly as: CompareForm;
  /** SHA-256 of what is left when each number is replaced by a mark: structure, names, shapes, dtypes. */
  readonly form: Sha256;
  readonly count: number;
  /** The numbers themselves, while they are few. */
  readonly values?: readonly number[];
  /** Else their products with fixed random signs, which give the root mean square of a difference without the numbers. */
  readonly sketch?: readonly number[];
}
