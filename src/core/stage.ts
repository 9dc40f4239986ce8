import type {OutputCompare, Tolerance} from './compare.ts';
import type {Sha256} from './digest.ts';
import type {HeldOutUse} from './held-out.ts';
import type {JsonObject} from './json.ts';
import type {Resources} from './resources.ts';

/** One declared param: a JSON Schema (2020-12) fragment with an optional `default` and a line of help in `about`. */
export type ParamSchema = JsonObject & {
  readonly about?: string;
  /** The value names the fold that is held out; one param of a stage at most. */
  readonly heldOut?: HeldOutUse;
};

export interface InputPort {
  readonly kind: 'file' | 'tree';
  /** The port takes an ordered list of artifacts (fan-in). */
  readonly many?: true;
  readonly optional?: true;
  readonly about?: string;
}

export interface OutputPort {
  readonly kind: 'file' | 'tree';
  /** File or folder name, relative to the work folder's output place. Its extension names the slices' files. */
  readonly name: string;
  /** Print this text file at the end of a run when its node is a target. */
  readonly display?: true;
  /**
   * How the page of a run shows this CSV, also when the node is no target: lines over the first column; counts, a row a true
   * class; a bar a row, of a column of numbers (the first one, or that after the colon). Never in the key.
   */
  readonly show?: 'curve' | 'confusion' | 'bars' | `bars:${string}`;
  /** Under `each`, a slice may leave this file unwritten: the item is then absent from the node's tree. */
  readonly optional?: true;
  /** How it is compared with a pinned one; by its bytes when absent. Never in the key. */
  readonly compare?: OutputCompare;
  readonly about?: string;
}

/** What went into a stage's code digest. The digest is the SHA-256 of this object's canonical JSON. */
export interface CodeManifest {
  readonly type: 'code/1';
  /** Path relative to the project folder, to the hash of the file without comments and formatting. */
  readonly files: Readonly<Record<string, Sha256>>;
  /** Name to version of the npm packages that the files import. */
  readonly packages: Readonly<Record<string, string>>;
}

/** A stage as the graph sees it: its contract and its code digest, without the code. */
export interface StageDeclaration {
  readonly name: string;
  readonly summary: string;
  /** Module file relative to the project folder; absent for the built-in `command`. */
  readonly file?: string;
  readonly params: Readonly<Record<string, ParamSchema>>;
  readonly inputs: Readonly<Record<string, InputPort>>;
  readonly outputs: Readonly<Record<string, OutputPort>>;
  /** How the metrics that it reports are compared with pinned ones; they must be equal when absent. */
  readonly compareMetrics?: Tolerance | 'none';
  readonly resources: Resources;
  /** The engine class that computed it may change the bytes, so it enters the key. */
  readonly numericBackend: boolean;
  /** The stage reads `seed`, so it enters the key. */
  readonly seeded: boolean;
  readonly deterministic: boolean;
  /** The stage can go on from what a stopped attempt left in its checkpoint. */
  readonly resumable?: true;
  readonly code: Sha256;
  readonly manifest: CodeManifest;
}
