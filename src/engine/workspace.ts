import type {
  Cas,
  ActionCache,
  Checkpoints,
  Clock,
  Distrust,
  Locks,
  RemoteCache,
  Runner,
  Sources,
  TensorEngines,
  WorkFolders,
  WorkspaceState,
} from '../core/ports.ts';
import type {Graph} from '../core/graph.ts';
import type {NodeId, Pipeline} from '../core/pipeline.ts';
import type {Result} from '../core/result.ts';
import type {EngineName} from '../core/tensor-engine.ts';
import type {ExecutorName} from '../core/executor.ts';

/** Turns a stage's source into a module a worker can import. */
export interface StageModules {
  compile(stage: string): Promise<Result<string>>;
}

/** What planning reads. It writes nothing but what it finds in the remote cache. */
export interface PlanPorts {
  readonly cas: Cas;
  readonly actions: ActionCache;
  readonly sources: Sources;
  readonly state: WorkspaceState;
  readonly checkpoints: Checkpoints;
  readonly remote?: RemoteCache;
  /** Without it everybody is trusted. */
  readonly distrust?: Distrust;
}

/** What a run uses besides. */
export interface EnginePorts extends PlanPorts {
  readonly locks: Locks;
  readonly runner: Runner;
  readonly folders: WorkFolders;
  readonly clock: Clock;
  readonly modules: StageModules;
}

/**
 * Versions that may change the bytes of every TypeScript stage, such as `{node: '20'}`. The class of the tensor engine joins
 * them for stages that declare `numericBackend`. Commands see none of it.
 */
export type Toolchain = Readonly<Record<string, string>>;

export interface PlanRequest {
  readonly pipeline: Pipeline;
  readonly graph: Graph;
  readonly ports: PlanPorts;
  readonly toolchain: Toolchain;
  readonly engines: TensorEngines;
  /** Engine for all nodes that compute with one, whatever they say themselves. */
  readonly engine?: EngineName;
  /** Where all nodes are to run, whatever they say themselves. */
  readonly executor?: ExecutorName;
  readonly targets: readonly NodeId[];
  /** Nodes to run again although a result is there. */
  readonly force?: ReadonlySet<NodeId>;
}
