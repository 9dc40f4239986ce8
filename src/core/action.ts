import {sha256, type Digest, type Sha256} from './digest.ts';
import {canonicalJson, type Json} from './json.ts';
import type {Artifact} from './tree.ts';

/** A node with its inputs resolved to digests. The SHA-256 of its canonical JSON is the fingerprint. */
export interface Action {
  readonly type: 'action/1';
  readonly stage: string;
  /** Digest of the stage's CodeManifest; for a command, of its argv or script. */
  readonly code: Sha256;
  readonly params: Json;
  readonly seed: number;
  readonly inputs: Readonly<Record<string, Digest | readonly Digest[]>>;
  /** Set on the action that stands for all slices of an `each` node; names the sliced port. */
  readonly each?: string;
  readonly outputs: Readonly<Record<string, {readonly kind: 'file' | 'tree'; readonly name: string}>>;
  readonly toolchain: Readonly<Record<string, string>>;
  readonly salt: string;
}

export interface Execution {
  readonly runId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly maxRssBytes: number;
  readonly device: string;
  readonly host: string;
  /** What the job printed; absent when it printed nothing. */
  readonly log?: Digest;
}

/** What one action made. `metrics` are numbers the stage reported; `action` is kept whole so that a later run can explain. */
export interface ActionResult {
  readonly type: 'action-result/1';
  readonly fingerprint: Sha256;
  readonly action: Action;
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly execution: Execution;
  /** For an `each` node: the blob with its SliceManifest. */
  readonly slices?: Digest;
}

/** One slice of an `each` node: item key, item digest, fingerprint, outputs. */
export interface SliceRecord {
  readonly key: string;
  readonly item: Digest;
  readonly fingerprint: Sha256;
  readonly outputs: Readonly<Record<string, Digest>>;
  readonly wallMs: number;
}

export interface SliceManifest {
  readonly type: 'slices/1';
  readonly slices: readonly SliceRecord[];
}

export function fingerprintOf(action: Action): Sha256 {
  return sha256(canonicalJson(action as unknown as Json));
}

/** The action of one slice: the node's action with the item in place of the collection. */
export function sliceAction(template: Action, item: Digest, seed: number): Action {
  const {each, ...rest} = template;
  if (each === undefined) throw new Error('sliceAction: not an each action');
  return {...rest, seed, inputs: {...template.inputs, [each]: item}};
}

/**
 * Fingerprints of many slices of one action. The canonical text is cut once around the item and the seed, so that a
 * slice costs one hash; equal to `fingerprintOf(sliceAction(...))`.
 */
export function sliceFingerprinter(template: Action): (item: Digest, seed: number) => Sha256 {
  const itemMark = {hash: '\u0001item' as Sha256, size: 0};
  const text = canonicalJson(sliceAction(template, itemMark, 0) as unknown as Json);
  const mark = canonicalJson(itemMark);
  const seedMark = '"seed":0,"stage":';
  const itemAt = text.indexOf(mark);
  const seedAt = text.lastIndexOf(seedMark, text.lastIndexOf(`"toolchain":`));
  const head = text.slice(0, itemAt);
  const middle = text.slice(itemAt + mark.length, seedAt + '"seed":'.length);
  const tail = text.slice(seedAt + '"seed":0'.length);
  return (item, seed) => sha256(`${head}{"hash":"${item.hash}","size":${item.size}}${middle}${seed}${tail}`);
}
