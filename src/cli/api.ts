import type {Emit} from '../core/events.ts';
import type {Failure} from '../core/failure.ts';
import type {Plan} from '../core/plan.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {EngineName} from '../core/tensor-engine.ts';
import type {BuildSummary, FailureMode} from '../engine/run-context.ts';
import {clusterAddress} from './cluster/transport.ts';
import {executePlanned} from './execution.ts';
import {loadProject, selectNodes, type Loaded} from './load.ts';
import {obstaclesOf, planNodes, type PlannedWork} from './planning.ts';
import {newRunId} from '../store/run-store.ts';

export interface ProjectOptions {
  /** Where to look for pipeline.yaml, upwards. Default: the working directory. */
  readonly directory?: string;
  /** The pipeline file, when it is not the nearest pipeline.yaml. */
  readonly file?: string;
  readonly profiles?: readonly string[];
  /** `a.b=JSON`, as --set takes them. */
  readonly overrides?: readonly string[];
  readonly cacheDir?: string;
  /** Tensor engine for all nodes that compute with one. Default: as the nodes say, else the best that works. */
  readonly engine?: EngineName;
  /** Selections as on the command line. Default: the default target group. */
  readonly targets?: readonly string[];
  /** Run the targets again although results are there. */
  readonly force?: boolean;
  /** Cores to use at most. Default: all. */
  readonly jobs?: number;
  /** Told of trouble that stops nothing. */
  readonly onWarning?: (failure: Failure) => void;
  /** Variables that jobs may see. Default: those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface BuildOptions extends ProjectOptions {
  readonly onFailure?: FailureMode;
  readonly onEvent?: Emit;
  /** Aborted to stop: running nodes are asked to end, nothing new starts. */
  readonly signal?: AbortSignal;
}

/** What a build would do. Writes nothing. Fails when the pipeline or a target is wrong. */
export async function plan(options: ProjectOptions = {}): Promise<Result<Plan>> {
  const prepared = await prepare(options, 'planning');
  if (!prepared.ok) return prepared;
  prepared.value.work.workspace.close();
  return ok(prepared.value.work.plan);
}

/**
 * Brings targets up to date. A node that fails is told in the summary; the result fails when the pipeline or a target is
 * wrong. Leaves no run record and no `out/`: those belong to the command line.
 */
export async function build(options: BuildOptions = {}): Promise<Result<BuildSummary>> {
  const runId = newRunId(Date.now());
  const prepared = await prepare(options, `run ${runId}`);
  if (!prepared.ok) return prepared;
  const {loaded, work} = prepared.value;
  const obstacles = obstaclesOf(work.plan);
  const cluster = await clusterAddress(loaded, work, undefined, undefined);
  if (obstacles.length > 0 || !cluster.ok) {
    work.workspace.close();
    return err([...obstacles, ...(cluster.ok ? [] : cluster.error)]);
  }
  const {onFailure = 'stop', onEvent = () => {}, signal = new AbortController().signal, env = process.env} = options;
  try {
    const summary = await executePlanned(loaded, work, {
      runId,
      onFailure,
      force: new Set(options.force ? work.plan.targets : []),
      ...(options.jobs === undefined ? {} : {jobs: options.jobs}),
      env,
      now: Date.now,
      emit: onEvent,
      warn: options.onWarning ?? (() => {}),
      signal,
      killSignal: new AbortController().signal,
    });
    return ok(summary);
  } finally {
    work.workspace.close();
  }
}

async function prepare(
  options: ProjectOptions,
  what: string,
): Promise<Result<{readonly loaded: Loaded; readonly work: PlannedWork}>> {
  const {directory, file, cacheDir, engine, profiles = [], overrides = [], targets = [], force, jobs} = options;
  const loaded = await loadProject({
    io: {cwd: process.cwd(), env: options.env ?? process.env},
    globals: {
      ...(directory === undefined ? {} : {directory}),
      ...(file === undefined ? {} : {file}),
      ...(cacheDir === undefined ? {} : {cache: cacheDir}),
      ...(engine === undefined ? {} : {engine}),
      profile: profiles,
      set: overrides,
    },
  });
  if (!loaded.ok) return loaded;
  const selected = selectNodes(loaded.value, targets, 'default');
  if (!selected.ok) return selected;
  const work = await planNodes(
    {warn: options.onWarning ?? (() => {})},
    loaded.value,
    selected.value,
    {...(jobs === undefined ? {} : {jobs}), ...(force ? {force} : {})},
    what,
  );
  return work.ok ? ok({loaded: loaded.value, work: work.value}) : work;
}
