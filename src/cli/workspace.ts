import {arch, cpus, hostname, release, totalmem, type} from 'node:os';
import {join} from 'node:path';
import {defaultSlurmProfile, type SlurmProfile} from '../core/executor.ts';
import type {Failure} from '../core/failure.ts';
import type {ExchangeAddress, Runner, Sources, WorkFolders, WorkspaceState} from '../core/ports.ts';
import {ok, type Result} from '../core/result.ts';
import type {PlanPorts, Toolchain} from '../engine/workspace.ts';
import type {Environment} from '../exec/environment.ts';
import type {Courier} from '../exec/slurm/courier.ts';
import {bytesText} from '../report/bytes.ts';
import {countText} from '../report/count-text.ts';
import {openRunStore, type RunStore} from '../store/run-store.ts';
import {createSources} from '../store/sources.ts';
import {openStatCache, type StatCache} from '../store/stat-cache.ts';
import {openStore, type Store} from '../store/store.ts';
import {openWorkspaceState} from '../store/workspace-state.ts';
import {packageRoot, packageVersion} from './package.ts';
import type {Project} from './project.ts';
import {actionsApart} from './remote/apart.ts';
import type {SharedResults} from './remote/open.ts';

/** The store and what this checkout remembers, opened. */
export interface Workspace {
  readonly store: Store;
  readonly state: WorkspaceState;
  readonly sources: Sources;
  readonly stat: StatCache;
  readonly runs: RunStore;
  readonly planPorts: PlanPorts;
  /** Results that others share; only in a workspace that plans with them. */
  readonly remote?: SharedResults;
  close(): void;
}

/**
 * @param what - what this process does, for others that wait for its locks
 * @param keep - whether digests of sources that were read are remembered for other processes
 * @param openRemote - opens the remote cache; without it there is none
 * @param apart - whether records of results that are found are kept in memory alone
 */
export function openWorkspace(
  project: Project,
  what: string,
  warn: (failure: Failure) => void,
  {
    keep = true,
    apart = false,
    openRemote,
  }: {
    readonly keep?: boolean;
    readonly apart?: boolean;
    readonly openRemote?: (store: Store) => SharedResults;
  } = {},
): Result<Workspace> {
  const opened = openStore({dir: project.cacheDir, warn, what});
  if (!opened.ok) return opened;
  const store = apart ? {...opened.value, actions: actionsApart(opened.value.actions)} : opened.value;
  const statCache = openStatCache({file: store.layout.statCache, warn});
  const stat = keep ? statCache : {...statCache, flush: () => {}};
  const sources = createSources({root: project.root, stat});
  const state = openWorkspaceState({file: join(project.runsDir, 'state.ndjson'), warn});
  const remote = openRemote?.(store);
  return ok({
    store,
    state,
    sources,
    stat,
    runs: openRunStore(project.runsDir),
    planPorts: {
      cas: store.cas,
      actions: store.actions,
      sources,
      state,
      checkpoints: store.checkpoints,
      distrust: store.distrust,
      ...(remote ? {remote} : {}),
    },
    ...(remote ? {remote} : {}),
    close() {
      remote?.close();
      store.close();
    },
  });
}

/**
 * Versions that may change the bytes that a stage makes. Those of packages, tensor libraries too, are part of the code of the
 * stages that import them.
 */
export function currentToolchain(): Toolchain {
  const [major = ''] = process.versions.node.split('.');
  return {node: major};
}

export function hostName(): string {
  return hostname();
}

/** What this machine is, for a record of what ran on it. */
export function machineFacts(): Readonly<Record<string, string>> {
  const cores = cpus();
  return {
    system: `${type()} ${release()}, ${arch()}`,
    processor: `${cores[0]?.model.trim() ?? 'unknown'}, ${countText(cores.length, 'core')}`,
    memory: bytesText(totalmem()),
  };
}

/** A way to compute nodes that see nothing of this machine. */
export interface Parcels {
  readonly address: ExchangeAddress;
  readonly store: Pick<Store, 'cas' | 'takePartial'>;
}

async function courierFor(
  {address, store}: Parcels,
  {node = process.execPath, mixdown = packageRoot}: SlurmProfile,
  env: Environment,
): Promise<Courier> {
  const {cacheCourier} = await import('../exec/slurm/cache-courier.ts');
  const {openExchange} = await import('../remote/exchange.ts');
  return cacheCourier({
    env,
    cas: store.cas,
    connect: (at) => openExchange(at, store, Date.now),
    address,
    node,
    entry: join(mixdown, 'dist', 'cli', 'cluster', 'job-main.js'),
    version: packageVersion(),
  });
}

/** A runner and work folders that load their code and start their helpers at the first job: a null build needs neither. */
export interface LazyExecution {
  readonly runner: Runner;
  readonly folders: WorkFolders;
  close(): Promise<void>;
}

export function lazyExecution(options: {
  readonly cacheDir: string;
  readonly runId: string;
  readonly env: Environment;
  readonly workers: number;
  /** How to use the site's Slurm. */
  readonly slurm?: SlurmProfile;
  /** How its jobs get their files, unless they see this disk. */
  readonly parcels?: Parcels;
}): LazyExecution {
  const {cacheDir, runId, env, workers, slurm: profile = defaultSlurmProfile, parcels} = options;
  let killed = false;
  let runner: Promise<Runner> | undefined;
  let cluster: Promise<Runner> | undefined;
  let folders: Promise<WorkFolders & {close(): Promise<void>}> | undefined;
  const loadRunner = async (): Promise<Runner> => {
    const {createRunner} = await import('../exec/runner.ts');
    const created = createRunner({workers, env});
    if (killed) created.kill();
    return created;
  };
  const loadCluster = async (): Promise<Runner> => {
    const {createSlurmRunner} = await import('../exec/slurm/runner.ts');
    const courier = parcels ? {courier: await courierFor(parcels, profile, env)} : {};
    const created = createSlurmRunner({dir: join(cacheDir, 'slurm'), runId, profile, env, ...courier});
    if (killed) created.kill();
    return created;
  };
  const loadFolders = async (): Promise<WorkFolders & {close(): Promise<void>}> => {
    const {createWorkFolders} = await import('../exec/work-folders.ts');
    return createWorkFolders({dir: join(cacheDir, 'work'), failedDir: join(cacheDir, 'failed'), runId, env});
  };
  return {
    runner: {
      run: async (job, emit, signal) =>
        (await (job.lease.cluster ? (cluster ??= loadCluster()) : (runner ??= loadRunner()))).run(job, emit, signal),
      runAll(jobs, emit, signal) {
        // Only jobs of a cluster's lease are handed over together.
        const results = (cluster ??= loadCluster()).then((loaded) => loaded.runAll!(jobs, emit, signal));
        return jobs.map(async (_, index) => (await results)[index]!);
      },
      holds: async (id) => (await (cluster ??= loadCluster())).holds!(id),
      kill() {
        killed = true;
        void runner?.then((loaded) => loaded.kill());
        void cluster?.then((loaded) => loaded.kill());
      },
      close: async () => void (await Promise.all([runner, cluster].map(async (loaded) => (await loaded)?.close()))),
    },
    folders: {
      create: async (node, slice) => (await (folders ??= loadFolders())).create(node, slice),
      remove: async (folder) => (await folders)?.remove(folder),
      keep: async (folder, job, failure) => (await folders)?.keep(folder, job, failure),
    },
    async close() {
      await Promise.all([runner, cluster].map(async (loaded) => (await loaded)?.close()));
      // What could not be made was told when it was wanted, and need not be closed.
      await (await folders?.catch(() => undefined))?.close();
    },
  };
}
