import type {
  Cas,
  ActionCache,
  Checkpoints,
  Clock,
  Locks,
  Runner,
  Sources,
  TensorEngines,
  WorkFolders,
  WorkspaceState,
} from '../core/ports.ts';
import type {Graph} from '../core/graph.ts';
import type {NodeId, Pipeline} from '../core/pipeline.ts';
import type {Result} from '../core/result.ts';

/** Turns a stage's source into a module a worker can import. */
export interface StageModules {
  compile(stage: string): Promise<Result<string>>;
}

/** What planning reads. It writes nothing. */
export interface PlanPorts {
  readonly cas: Cas;
  readonly actions: ActionCache;
  readonly sources: Sources;
  readonly state: WorkspaceState;
  readonly checkpoints: Checkpoints;
}

/** What a run uses besides. */
export interface EnginePorts extends PlanPorts {
  readonly locks: Locks;
  readonly runner: Runner;
  readonly folders: WorkFolders;
  readonly clock: Clock;
  readonly modules: StageModules;
}

/** Versions that may change the bytes. Commands see none of them. */
export interface Toolchain {
  /** Enters the key of every TypeScript stage, such as `{node: '20'}`. */
  readonly base: Readonly<Record<string, string>>;
  /** Enters the key of stages that declare `numericBackend`: the engine class. */
  readonly engine: string;
}

export interface PlanRequest {
  readonly pipeline: Pipeline;
  readonly graph: Graph;
  readonly ports: PlanPorts;
  readonly toolchain: Toolchain;
  readonly targets: readonly NodeId[];
  /** Nodes to run again although a result is there. */
  readonly force?: ReadonlySet<NodeId>;
}
