import type {Sha256} from '../core/digest.ts';
import type {Emit, SliceCounts} from '../core/events.ts';
import type {Failure} from '../core/failure.ts';
import type {NodeId, PipelineNode} from '../core/pipeline.ts';
import type {Outcome, Plan} from '../core/plan.ts';
import type {Machine} from '../core/resources.ts';
import type {ChosenEngines} from './chosen-engines.ts';
import type {LeasePool} from './cluster-pool.ts';
import type {DevicePool} from './device-pool.ts';
import type {Recall} from './recall.ts';
import type {RecheckRequest, Rechecks} from './rechecks.ts';
import type {Artifacts, Outputs} from './resolve.ts';
import type {EnginePorts, PlanRequest} from './workspace.ts';

/** After a failure: let running nodes end and start none (`stop`), run what does not need it (`continue`), or end all (`kill`). */
export type FailureMode = 'stop' | 'continue' | 'kill';

export interface BuildRequest extends Omit<PlanRequest, 'ports'> {
  readonly ports: EnginePorts;
  readonly runId: string;
  readonly host: string;
  readonly machine: Machine;
  /** Cores to use at most. */
  readonly jobs: number;
  /** How much is sent to a cluster. */
  readonly cluster?: ClusterBounds;
  readonly onFailure: FailureMode;
  /** Time between the polite signal and the kill of a job that is cancelled or out of time. */
  readonly graceMs: number;
  readonly emit: Emit;
  /** Aborted by the first interrupt: running jobs are told to stop, nothing new starts. */
  readonly signal: AbortSignal;
  /** Shared with other runs of this process; one of its own, for the machine, when absent. */
  readonly pool?: DevicePool;
  /** Ends the run when its plan is out of date. */
  readonly recall?: Recall;
  /**
   * Nodes that failed before and would again: they fail with this, untried, unless a result is there. More may come while
   * the run goes on, from another that had begun with them.
   */
  readonly held?: ReadonlyMap<NodeId, Failure>;
  /** Has some of what others made be made again. */
  readonly recheck?: RecheckRequest;
}

export interface ClusterBounds {
  /** Leases at a time. */
  readonly slots: number;
  /** Batches that the slices of one node are cut into, at least; more when they are many. */
  readonly batches: number;
}

export interface NodeResult {
  readonly outcome: Outcome;
  readonly outputs?: Outputs;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly fingerprint?: Sha256;
  /** The node ran and made the same bytes as before. */
  readonly unchanged?: true;
  readonly slices?: SliceCounts;
  readonly failure?: Failure;
}

export interface BuildSummary {
  readonly outcome: 'done' | 'failed' | 'interrupted';
  readonly plan: Plan;
  readonly nodes: ReadonlyMap<NodeId, NodeResult>;
}

/** What the steps of one run share. */
export interface RunContext {
  readonly request: BuildRequest;
  readonly artifacts: Artifacts;
  readonly engines: ChosenEngines;
  /** Who hands out what the node runs on. */
  readonly poolOf: (node: PipelineNode) => LeasePool;
  /** Aborted when nothing new may start. */
  readonly halt: AbortSignal;
  /** Aborted when the node's running jobs must end. */
  readonly cancelOf: (node: NodeId) => AbortSignal;
  /** When and where nodes started to work; a node without an entry did not. */
  readonly started: Map<NodeId, {readonly at: number; readonly device: string}>;
  readonly targets: ReadonlySet<NodeId>;
  /** Runs a node that has ended already, because what it left behind is gone; once for all who ask meanwhile. */
  readonly remake: (node: NodeId) => Promise<NodeResult>;
  readonly rechecks?: Rechecks;
  /** What was gone when a node needed it, and had to be made again. */
  readonly wanted: Set<string>;
  /** Hashes of texts (trees, code manifests) that this run has put in the store. */
  readonly stored: Set<string>;
}
