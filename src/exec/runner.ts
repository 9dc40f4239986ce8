import {setMaxListeners} from 'node:events';
import {failure, type Failure} from '../core/failure.ts';
import type {Job, JobResult, Runner} from '../core/ports.ts';
import {err, ok, type Result} from '../core/result.ts';
import {runCommand} from './command-process.ts';
import {distEntry} from './dist-entry.ts';
import {workerEnvironment, type Environment} from './environment.ts';
import {createGuardian} from './guardian.ts';
import {createJobLog, type JobLog} from './job-log.ts';
import {createPlace} from './place-input.ts';
import type {CommandJob, StageJob} from './protocol.ts';
import {crashFailure, stoppedFailure} from './run-failures.ts';
import {watchStop} from './stopper.ts';
import {WorkerPool} from './worker-pool.ts';
import {WorkerProcess} from './worker-process.ts';

export interface RunnerOptions {
  /** Most worker processes alive at a time; further stage jobs wait for one. */
  readonly workers: number;
  /** Environment of the calling program; jobs see a few variables of it. */
  readonly env: Environment;
  /** Names of further variables that stages may see. */
  readonly passEnv?: readonly string[];
  readonly nodePath?: string;
  /** A worker is replaced after so many jobs. */
  readonly maxJobsPerWorker?: number;
  /** A worker that is larger than this after a job is replaced. Default 2 GiB. */
  readonly maxRssBytes?: number;
}

const defaultMaxRssBytes = 2 * 1024 ** 3;

/**
 * Runs stages on warm worker processes and commands as programs of their own, each in a process group that dies with
 * this process. A job that was told to stop fails even when it ends well in its grace: it may have stopped half-way.
 */
export function createRunner(options: RunnerOptions): Runner {
  const {env, passEnv = [], nodePath = process.execPath} = options;
  const {maxJobsPerWorker = Infinity, maxRssBytes = defaultMaxRssBytes} = options;
  const guardian = createGuardian();
  const place = createPlace();
  const entry = distEntry('worker-main');
  const pool = new WorkerPool({
    workers: Math.max(1, options.workers),
    start: (lease) => new WorkerProcess({nodePath, entry, guardian, env: workerEnvironment(env, lease, passEnv)}),
  });
  const commandKills = new Set<() => void>();
  const running = new Map<AbortController, Promise<unknown>>();
  let closed = false;

  const runStageJob = async (job: StageJob, log: JobLog, signal: AbortSignal): Promise<Result<JobResult, Failure>> => {
    const worker = await pool.acquire(job.lease, job.work.engine, signal);
    if (!worker) return err(stoppedFailure('cancelled', job, log));
    const stopper = watchStop({
      signal,
      timeoutMs: job.timeoutMs,
      graceMs: job.graceMs,
      ask: (reason) => worker.ask(reason),
      kill: () => worker.kill(),
    });
    const end = await worker.run(job, log);
    stopper.dispose();
    const reason = stopper.reason();
    const answer = end.how === 'answered' ? end.answer : undefined;
    const healthy = answer !== undefined && !answer.retire && answer.rssBytes <= maxRssBytes;
    // What a stopped stage left going would share the worker with the next job.
    pool.giveBack(worker, healthy && reason === undefined && worker.jobs < maxJobsPerWorker);
    if (reason) return err(stoppedFailure(reason, job, log));
    switch (end.how) {
      case 'unstartable':
        return err(failure('worker-crashed', `a worker could not be started: ${end.error.message}`));
      case 'exited':
        return err(crashFailure(end.code, end.signal, log));
      case 'answered':
        return end.answer.result.ok ? ok({...end.answer.result.value, log: log.text()}) : end.answer.result;
    }
  };

  const runCommandJob = async (
    job: CommandJob,
    log: JobLog,
    signal: AbortSignal,
  ): Promise<Result<JobResult, Failure>> => {
    await pool.releaseDevices(job.lease);
    let kill: (() => void) | undefined;
    const onStart = (killGroup: () => void): void => {
      kill = killGroup;
      commandKills.add(killGroup);
    };
    const result = await runCommand(job, {env, place, guardian, log, onStart}, signal);
    if (kill) commandKills.delete(kill);
    return result;
  };

  const runJob = async (job: Job, log: JobLog, signal: AbortSignal): Promise<Result<JobResult, Failure>> => {
    try {
      if (signal.aborted) return err(stoppedFailure('cancelled', job, log));
      return await (job.work.type === 'stage'
        ? runStageJob(job as StageJob, log, signal)
        : runCommandJob(job as CommandJob, log, signal));
    } catch (error) {
      return err(failure('worker-crashed', `the job could not be started: ${(error as Error).message}`));
    }
  };

  const kill = (): void => {
    closed = true;
    for (const controller of running.keys()) controller.abort();
    pool.killAll();
    for (const killCommand of commandKills) killCommand();
  };

  return {
    async run(job, emit, signal) {
      const log = createJobLog(job, emit);
      const controller = new AbortController();
      const abort = (): void => controller.abort();
      // Every running job listens; more than ten of them are no leak.
      setMaxListeners(0, signal);
      if (signal.aborted || closed) abort();
      else signal.addEventListener('abort', abort, {once: true});
      const done = runJob(job, log, controller.signal);
      running.set(controller, done);
      const result = await done;
      running.delete(controller);
      signal.removeEventListener('abort', abort);
      if (result.ok) return result;
      log.save();
      return err({...result.error, node: job.node});
    },
    kill,
    async close() {
      kill();
      await Promise.all([...running.values(), pool.close()]);
      guardian.close();
    },
  };
}
