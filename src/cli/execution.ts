import {randomInt} from 'node:crypto';
import {availableParallelism} from 'node:os';
import type {Emit} from '../core/events.ts';
import {defaultSlurmProfile, type ExecutorName} from '../core/executor.ts';
import {failure, type Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Plan} from '../core/plan.ts';
import type {ExchangeAddress} from '../core/ports.ts';
import type {Machine} from '../core/resources.ts';
import {execute} from '../engine/build.ts';
import type {DevicePool} from '../engine/device-pool.ts';
import {isStale} from '../engine/plan.ts';
import type {Recall} from '../engine/recall.ts';
import type {RecheckRequest} from '../engine/rechecks.ts';
import type {BuildSummary, FailureMode} from '../engine/run-context.ts';
import type {Environment} from '../exec/environment.ts';
import {registerCheckout} from '../store/roots.ts';
import type {MachineEngines} from './engines/machine-engines.ts';
import type {Loaded} from './load.ts';
import type {PlannedWork} from './planning.ts';
import {currentToolchain, hostName, lazyExecution} from './workspace.ts';

export interface ExecutionOptions {
  readonly runId: string;
  /** Cores to use at most; all when absent. */
  readonly jobs?: number;
  /** Where all nodes are to run, whatever they say themselves. */
  readonly executor?: ExecutorName;
  /** Where jobs of a cluster get their files, unless they see this disk. */
  readonly clusterAddress?: ExchangeAddress;
  readonly onFailure: FailureMode;
  readonly force: ReadonlySet<NodeId>;
  readonly env: Environment;
  readonly now: () => number;
  readonly emit: Emit;
  readonly warn: (failure: Failure) => void;
  /** Aborted to stop: running jobs are asked to end, nothing new starts. */
  readonly signal: AbortSignal;
  /** Aborted to kill what still runs. */
  readonly killSignal: AbortSignal;
  /** As for a build request. */
  readonly recall?: Recall;
  readonly held?: ReadonlyMap<NodeId, Failure>;
  /** The pool to take resources from; one for this run alone when absent. */
  readonly poolFor?: (machine: Machine, jobs: number) => DevicePool;
}

/** Time between the polite signal to a job and its kill. */
const graceMs = 5_000;

/** Executes what was planned, and gives back every process and folder that it took. */
export async function executePlanned(
  {pipeline, graph, modules, project, engines}: Loaded,
  {plan, planned, workspace}: PlannedWork,
  options: ExecutionOptions,
): Promise<BuildSummary> {
  const {runId, executor, onFailure, force, env, now, emit, signal, killSignal, recall, held, poolFor} = options;
  const {slurm = defaultSlurmProfile} = pipeline;
  const {remote, store} = workspace;
  const recheck: RecheckRequest | undefined = remote && {
    share: remote.recheck,
    random: () => randomInt(2 ** 32) / 2 ** 32,
    agrees: async (...results) => (await import('./pins/agreement.ts')).agreementIn(store)(...results),
  };
  const mayRun = await mayRunNodes(plan, recheck);
  const machine = await machineFor(mayRun, engines, options);
  const jobs = options.jobs ?? machine.cpu;
  const {clusterAddress: address} = options;
  const parcels = address ? {parcels: {address, store: workspace.store}} : {};
  const execution = lazyExecution({cacheDir: project.cacheDir, runId, env, workers: jobs, slurm, ...parcels});
  const kill = (): void => execution.runner.kill();
  killSignal.addEventListener('abort', kill, {once: true});
  registerCheckout(workspace.store.layout.checkouts, project.runsDir);
  try {
    return await execute(planned, {
      pipeline,
      graph,
      ports: {
        ...workspace.planPorts,
        locks: workspace.store.locks,
        runner: execution.runner,
        folders: execution.folders,
        clock: {now},
        modules,
      },
      targets: plan.targets,
      toolchain: currentToolchain(),
      engines,
      force,
      runId,
      host: hostName(),
      machine,
      jobs,
      cluster: {slots: slurm.maxSubmitted, batches: slurm.batches},
      ...(executor === undefined ? {} : {executor}),
      onFailure,
      graceMs,
      emit,
      signal,
      ...(poolFor ? {pool: poolFor(machine, jobs)} : {}),
      ...(recall ? {recall} : {}),
      ...(held ? {held} : {}),
      ...(recheck ? {recheck} : {}),
    });
  } finally {
    killSignal.removeEventListener('abort', kill);
    await execution.close();
    workspace.stat.flush();
  }
}

/** The nodes of which jobs may start: of results of others, samples are made again. */
async function mayRunNodes({nodes}: Plan, recheck: RecheckRequest | undefined): Promise<Plan['nodes']> {
  const cached = recheck !== undefined && nodes.some(({status}) => status === 'cached');
  const samples = cached && (await recheck.share()) > 0;
  return nodes.filter(({status}) => isStale(status) || (samples && status === 'cached'));
}

/**
 * What the run may use. Asking for GPUs starts a program, so a run with nothing to execute does not ask. The plan may have
 * gone by what was remembered of them: where that is wrong, what it decided cannot be carried out.
 */
async function machineFor(
  mayRun: Plan['nodes'],
  engines: MachineEngines,
  {env, jobs, warn}: Pick<ExecutionOptions, 'env' | 'jobs' | 'warn'>,
): Promise<Machine> {
  if (mayRun.length === 0) return {cpu: jobs ?? availableParallelism(), memoryMiB: Infinity, gpus: []};
  const {discoverMachine} = await import('../exec/devices.ts');
  const {machine, ...rest} = await discoverMachine({env, ...(jobs === undefined ? {} : {cpuOverride: jobs})});
  if (await engines.learn({gpus: machine.gpus, ...rest})) {
    warn(failure('no-device', changedGpus, {hint: 'run again to plan for them'}));
  }
  if (machine.gpus.length > 0 || !mayRun.some(({engine}) => engine === 'webgpu')) return machine;
  return {...machine, gpus: await engines.devices('webgpu')};
}

const changedGpus = 'the GPUs of this machine are not those that the plan was made for';
