import {sha256, type Digest, type Sha256} from './digest.ts';
import {canonicalJson, type Json} from './json.ts';
import type {Origin, Voucher} from './origin.ts';
import type {Artifact} from './tree.ts';

/** A declared output as far as it counts as a change. */
export type ActionOutput = {
  readonly kind: 'file' | 'tree';
  readonly name: string;
  /** A slice's result is complete without it. */
  readonly optional?: true;
};

/** A node with its inputs resolved to digests. The SHA-256 of its canonical JSON is the fingerprint. */
export interface Action {
  readonly type: 'action/1';
  readonly stage: string;
  /** Digest of the stage's CodeManifest; for a command, of its argv or script. */
  readonly code: Sha256;
  readonly params: Json;
  readonly seed: number;
  readonly inputs: Readonly<Record<string, Digest | readonly Digest[]>>;
  /** Set on the action that stands for all slices of an `each` node; names the sliced port, or all, the leading one first. */
  readonly each?: string | readonly string[];
  readonly outputs: Readonly<Record<string, ActionOutput>>;
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
  /** Of a slice, without the optional outputs that it left unwritten. */
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly execution: Execution;
  /** For an `each` node: the blob with its SliceManifest. */
  readonly slices?: Digest;
  /** Found in a remote cache: its blobs may lie there only. */
  readonly borrowed?: Origin;
  /** Others that made slices of it. */
  readonly via?: readonly Voucher[];
}

/** One slice of an `each` node. */
export interface SliceRecord {
  /** Key of the leading collection's item. */
  readonly key: string;
  /** Digest of the leading collection's item. */
  readonly item: Digest;
  readonly fingerprint: Sha256;
  /** Digest of each file, or of each tree's text; without the optional outputs that were left unwritten. */
  readonly outputs: Readonly<Record<string, Digest>>;
  readonly wallMs: number;
  /** Set when it was found in a remote cache. */
  readonly from?: Voucher;
}

export interface SliceManifest {
  readonly type: 'slices/1';
  readonly slices: readonly SliceRecord[];
}

export function fingerprintOf(action: Action): Sha256 {
  return sha256(canonicalJson(action as unknown as Json));
}

/** The ports that receive one item at a time, the leading one first; none unless the action stands for slices. */
export function slicedPorts({each}: Pick<Action, 'each'>): readonly string[] {
  if (each === undefined) return [];
  return typeof each === 'string' ? [each] : each;
}

/** Names the slices of one template: equal for actions whose collections merely differ. */
export function templateKey(action: Action): Sha256 {
  const {each: _, ...rest} = action;
  const sliced = new Set(slicedPorts(action));
  const inputs = Object.fromEntries(Object.entries(action.inputs).filter(([port]) => !sliced.has(port)));
  return fingerprintOf({...rest, inputs});
}

/** True when a result has every output that its action does not call optional. */
export function isComplete(action: Pick<Action, 'outputs'>, outputs: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(action.outputs).every(
    ([name, {optional}]) => optional === true || Object.hasOwn(outputs, name),
  );
}

/** The action of one slice: the node's action with the items, in the order of `slicedPorts`, in place of the collections. */
export function sliceAction(template: Action, items: readonly Digest[], seed: number): Action {
  const {each: _, ...rest} = template;
  const ports = slicedPorts(template);
  if (ports.length === 0) throw new Error('sliceAction: not an each action');
  const inputs = {...template.inputs};
  ports.forEach((port, index) => (inputs[port] = items[index]!));
  return {...rest, seed, inputs};
}

/**
 * Fingerprints of many slices of one action. The canonical text is cut once around the items and the seed, so that a
 * slice costs one hash; equal to `fingerprintOf(sliceAction(...))`.
 */
export function sliceFingerprinter(template: Action): (items: readonly Digest[], seed: number) => Sha256 {
  const items = slicedPorts(template).map((_, index): Digest => ({hash: `\u0001item${index}` as Sha256, size: 0}));
  const text = canonicalJson(sliceAction(template, items, 0) as unknown as Json);
  const marks = items.map((item) => canonicalJson(item as unknown as Json));
  const seedMark = '"seed":0,"stage":';
  const seedAt = text.lastIndexOf(seedMark, text.lastIndexOf(`"toolchain":`));
  // Inputs come before params in the text, and no digest of a real input looks like a mark.
  const holes = marks
    .map((mark, index) => ({index, length: mark.length, at: text.indexOf(mark)}))
    .sort((a, b) => a.at - b.at);
  let from = 0;
  const parts = holes.map(({index, length, at}) => {
    const before = text.slice(from, at);
    from = at + length;
    return {before, index};
  });
  const middle = text.slice(from, seedAt + '"seed":'.length);
  const tail = text.slice(seedAt + '"seed":0'.length);
  return (digests, seed) => {
    let head = '';
    for (const {before, index} of parts) {
      const {hash, size} = digests[index]!;
      head += `${before}{"hash":"${hash}","size":${size}}`;
    }
    return sha256(`${head}${middle}${seed}${tail}`);
  };
}
