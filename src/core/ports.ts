/** What the engine needs from the outside, one interface a job. `store` and `exec` implement them; tests bring fakes. */
import type {Action, ActionResult, SliceRecord} from './action.ts';
import type {Digest, Sha256} from './digest.ts';
import type {Emit} from './events.ts';
import type {Failure} from './failure.ts';
import type {JsonObject} from './json.ts';
import type {Distrusted, Rests, Voucher} from './origin.ts';
import type {CommandSpec, NodeId, Source} from './pipeline.ts';
import type {Gpu, Lease} from './resources.ts';
import type {Result} from './result.ts';
import type {InputPort, OutputPort} from './stage.ts';
import type {EngineCheck, EngineName} from './tensor-engine.ts';
import type {Artifact, Tree} from './tree.ts';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Digest to bytes. Blobs are read-only and never change; damage is found when a blob is used. */
export interface Cas {
  /** The folder of the blobs: a blob lies at `<dir>/<first 2 digits>/<hash>`. */
  readonly dir: string;
  /** True when the blob is there and looks untouched (size, seal); hashes it again when the seal is broken. A damaged blob is quarantined. */
  holds(digest: Digest): boolean;
  /** Where the bytes lie. Says nothing about whether they are there. */
  pathOf(digest: Digest): string;
  putBytes(bytes: Uint8Array | string): Promise<Digest>;
  /**
   * Takes a file in. `move` gives the file away (it may be renamed into place).
   *
   * @param digest - of its content, from who has just written and hashed it
   */
  putFile(path: string, how: 'move' | 'copy', digest?: Digest): Promise<Digest>;
  /** Takes a folder's files in (they are moved) and stores the text of their tree. */
  putTree(folder: string): Promise<Artifact & {readonly kind: 'tree'}>;
  /** Reads and verifies; undefined when missing or damaged. */
  read(digest: Digest): Promise<Uint8Array | undefined>;
}

/** Fingerprint to action result. Anything unreadable is a miss with a warning. */
export interface ActionCache {
  get(fingerprint: Sha256): ActionResult | undefined;
  put(result: ActionResult): Promise<void>;
}

/** Results that others share. Trouble with it is no error: what cannot be had is not there. */
export interface RemoteCache {
  /**
   * Takes over the results of these actions that are there: `ActionCache.get` finds them from then on, and their blobs are
   * promised.
   */
  findResults(fingerprints: Iterable<Sha256>): Promise<void>;
  /** Slices that were made with this action on any items; their outputs are promised from then on. */
  findSlices(action: Action): Promise<readonly SliceRecord[]>;
  /** True for a blob that is said to be there and may still have to be fetched. */
  promises(digest: Digest): boolean;
  /** True for a blob that was promised and could not be had. It may be here by now for another reason. */
  lacks(digest: Digest): boolean;
  /** Says that these are there because they belong to something that is. */
  promise(digests: Iterable<Digest>): void;
  /** Brings those here that are promised and not here. Afterwards they are promised no more: `Cas.holds` tells which came. */
  fetch(digests: Iterable<Digest>, signal?: AbortSignal): Promise<void>;
  /** Gives a new result away, in the background. */
  share(result: ActionResult): void;
}

/** Who vouched for a wrong result: nothing is used that rests on them. Shared by all who use the store. */
export interface Distrust {
  /** Undefined for whom nothing is known against. What was read once is remembered. */
  of(voucher: Voucher): Distrusted | undefined;
  /** From now on, until a person lifts it. */
  add(entry: Distrusted): Promise<void>;
}

/** Where an `Exchange` is, and what lets one in: to be kept as a secret. */
export interface ExchangeAddress {
  /** `http:`, `https:` or `file:`. */
  readonly url: string;
  /** Value of the Authorization header. */
  readonly authorization?: string;
  /** Where messages lie: `ac`, or `<namespace>/ac`. */
  readonly messages: 'ac' | `${string}/ac`;
}

/**
 * A place that this machine and others reach: blobs by their digest, and messages by names that only those know who are to read
 * them. Failures are `remote-unavailable`, `blob-missing` and `blob-corrupt` of what is there, and of this side what its
 * store says.
 */
export interface Exchange {
  /** For people; without what lets one in. */
  readonly name: string;
  readonly address: ExchangeAddress;
  /** Whether it answers. */
  reach(signal: AbortSignal): Promise<Failure | undefined>;
  /** Sees to it that the content of the file is there. `input-changed` when that has another digest. */
  give(digest: Digest, file: string, signal: AbortSignal): Promise<Failure | undefined>;
  giveBytes(bytes: Uint8Array, signal: AbortSignal): Promise<Result<Digest, Failure>>;
  /** Sees to it that the blob is in the store here. */
  take(digest: Digest, signal: AbortSignal): Promise<Failure | undefined>;
  post(name: Sha256, message: Uint8Array, signal: AbortSignal): Promise<Failure | undefined>;
  /** Undefined when there is no message of this name. */
  collect(name: Sha256, signal: AbortSignal): Promise<Result<Uint8Array | undefined, Failure>>;
  /** From now on `give` sends these although they seem to be there: somebody could not use them. */
  mistrust(hashes: Iterable<Sha256>): void;
  close(): void;
}

/** A source as it is now, with the means to see whether it moved since. */
export interface ScannedSource {
  readonly artifact: Artifact;
  /** Absent for a file source. */
  readonly tree?: Tree;
  /** Absolute path of the file, or of the folder that the tree's paths are relative to. */
  readonly path: string;
}

export interface Sources {
  scan(source: Source): Promise<Result<ScannedSource>>;
  /** Paths among these (absolute) whose stat or content differs from what `scan` saw. */
  changedSince(paths: readonly string[]): readonly string[];
}

/** What a checkout remembers of each node's last result: makes a build with nothing to do instant. */
export interface NodeState extends Rests {
  readonly node: NodeId;
  readonly fingerprint: Sha256;
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly wallMs: number;
  readonly slices?: Digest;
}

export interface WorkspaceState {
  get(node: NodeId): NodeState | undefined;
  record(state: NodeState): void;
  flush(): Promise<void>;
}

/** One holder at a time per key, over all runs that share the store. Locks die with their process. */
export interface Locks {
  acquire(key: string, signal: AbortSignal, onWait: (holder: string) => void): Promise<Lock>;
  /** The lock when nobody holds or awaits it. */
  tryAcquire(key: string): Lock | undefined;
}

export interface Lock {
  release(): void;
}

/** What long jobs keep to go on after they were stopped: one folder for each fingerprint, in no key. */
export interface Checkpoints {
  /** Whether a stopped job left something to go on from. Reads only. */
  waits(fingerprint: Sha256): boolean;
  /** The right to a fingerprint's checkpoint, over all runs that share the store; undefined while another job has it. */
  take(fingerprint: Sha256): Checkpoint | undefined;
}

export interface Checkpoint {
  /**
   * The folder for the next attempt, with what the last one left in it, or empty. Its path is a new one each time, so that
   * what is left running of an earlier attempt spoils nothing.
   */
  open(how: 'resume' | 'anew'): string;
  /** Leaves it to a later run, and gives the right back. */
  leave(): void;
  /** Removes it, and gives the right back. */
  discard(): void;
}

/** Where an input lies. A tree's entries are read from its manifest, so a large one costs nothing to pass. */
export type JobInput =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Readable name; commands see it in the folder of a `many` port. */
      readonly name?: string;
      /** Of the bytes that the job is to read, where that is known. */
      readonly digest?: Digest;
    }
  | {
      readonly kind: 'tree';
      readonly name?: string;
      /** File with the tree's canonical text. */
      readonly manifest: string;
      /** Entries lie under their path in a source folder, or under their hash in the CAS. */
      readonly base: {readonly in: 'folder'; readonly path: string} | {readonly in: 'cas'; readonly path: string};
    }
  | {readonly kind: 'many'; readonly items: readonly JobInput[]};

/** One action ready to execute in a private work folder. */
export interface Job {
  /** Fingerprint of the action. */
  readonly id: string;
  readonly node: NodeId;
  /** The item's key when this is a slice. */
  readonly slice?: string;
  readonly work:
    | {
        readonly type: 'stage';
        readonly stage: string;
        readonly module: string;
        /** Class of the tensor engine to compute with; empty for a stage that needs none. */
        readonly engine: string;
      }
    | {readonly type: 'command'; readonly command: CommandSpec};
  readonly params: JsonObject;
  readonly seed: number;
  readonly ports: Readonly<Record<string, InputPort>>;
  readonly inputs: Readonly<Record<string, JobInput>>;
  readonly outputs: Readonly<Record<string, OutputPort>>;
  /** Private, on the store's file system; empty, or with an empty `out`. Outputs land in `<folder>/out/<output name>`. */
  readonly folder: string;
  /** Absolute path of the folder that outlives the job; only of a stage that can go on from it. Made when missing. */
  readonly checkpoint?: string;
  readonly lease: Lease;
  readonly timeoutMs?: number;
  /** Time between the polite signal and the kill. */
  readonly graceMs: number;
  /** What an earlier run began of it does not count. */
  readonly anew?: true;
}

export interface JobResult {
  /** Absolute path of each output that was left behind. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly maxRssBytes: number;
  readonly log: string;
  /** Where it ran, when a cluster chose that. */
  readonly place?: {readonly host: string; readonly device: string};
}

export interface Runner {
  /** Runs the job to its end; a failure carries the job's last lines in its message or hint. Aborting cancels politely, then kills. */
  run(job: Job, emit: Emit, signal: AbortSignal): Promise<Result<JobResult, Failure>>;
  /** The jobs of one lease, carried out one after another on one host. Only of a runner that sends jobs away. */
  runAll?(jobs: readonly Job[], emit: Emit, signal: AbortSignal): readonly Promise<Result<JobResult, Failure>>[];
  /**
   * Whether a job with this id that an earlier run began still runs, or has ended well: `run` then goes on with that one.
   * Only of a runner whose jobs outlive this process.
   */
  holds?(id: string): Promise<boolean>;
  /** Kills whatever still runs. */
  kill(): void;
  close(): Promise<void>;
}

/** The tensor engines of this machine. What was found out once is remembered. */
export interface TensorEngines {
  /** Whether the engine computes here, and computes right. */
  check(engine: EngineName): Promise<EngineCheck>;
  /** The devices that a job on this engine can be given; none for an engine of the CPU. */
  devices(engine: EngineName): Promise<readonly Gpu[]>;
}

/** Private folders for jobs, on the store's file system. */
export interface WorkFolders {
  create(node: NodeId, slice?: string): Promise<string>;
  remove(folder: string): Promise<void>;
  /** Keeps a failed job's folder with a script that runs it again; returns where. */
  keep(folder: string, job: Job, failure: Failure): Promise<string | undefined>;
}
