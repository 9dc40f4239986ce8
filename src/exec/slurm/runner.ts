import {setMaxListeners} from 'node:events';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import type {SlurmProfile} from '../../core/executor.ts';
import {failure, type Failure} from '../../core/failure.ts';
import type {Job, JobResult, Runner} from '../../core/ports.ts';
import {err, type Result} from '../../core/result.ts';
import type {Environment} from '../environment.ts';
import {folderName} from '../folder-name.ts';
import {resourceArguments, sbatchArguments} from './arguments.ts';
import {createSlurmClient, type SlurmClient, type SlurmTrouble} from './client.ts';
import {sharedDisk, type Courier, type Dispatch} from './courier.ts';
import {scriptName} from './files.ts';
import {SlurmLeftovers} from './leftovers.ts';
import {discard, keyOf, noteJobId, writeSubmission} from './submissions.ts';
import {cancelled, isDropped, liveSubmission, tell, type Flight, type LiveSubmission} from './task.ts';
import {SlurmWatch, type Loss} from './watch.ts';

export interface SlurmRunnerOptions {
  /** Folder of all submissions, on the store's file system. */
  readonly dir: string;
  readonly runId: string;
  readonly profile: SlurmProfile;
  /** Environment of the calling program. */
  readonly env: Environment;
  readonly client?: SlurmClient;
  /** How compute nodes are reached; when absent they see the store's file system under the same path. */
  readonly courier?: Courier;
}

/** Jobs that come within this time after the first one go out with it. */
const lingerMs = 25;

/** Calls of sbatch at a time. */
const mostAtOnce = 4;

/** Waits before sbatch is tried again while the controller does not answer. */
const retryMs = [1000, 2000, 4000, 8000, 16_000];

/** A job is submitted so often, however many hosts are lost under it. */
const mostLosses = 5;

const lostTooOften: Failure = failure(
  'worker-crashed',
  `the cluster lost this job ${mostLosses} times, to hosts that failed or to jobs with more right`,
  {hint: 'ask the site, or choose another partition'},
);

/**
 * Runs jobs on a Slurm cluster. What becomes ready together goes out together: as one array where the resources are
 * equal. Submissions outlive this process: what a run that was killed left in the queue is gone on with.
 */
export function createSlurmRunner(options: SlurmRunnerOptions): Runner {
  return new SlurmRunner(options);
}

class SlurmRunner implements Runner {
  readonly #options: SlurmRunnerOptions;
  readonly #client: SlurmClient;
  readonly #courier: Courier;
  readonly #stop = new AbortController();
  readonly #watch: SlurmWatch;
  readonly #leftovers: SlurmLeftovers;
  readonly #signals = new WeakSet<AbortSignal>();
  /** Jobs that wait to be submitted, by array task. */
  #outbox: Flight[][] = [];
  #sending: Promise<void> | undefined;
  #largestArray: Promise<number> | undefined;
  #count = 0;
  #closed = false;

  constructor(options: SlurmRunnerOptions) {
    this.#options = options;
    this.#client = options.client ?? createSlurmClient(options.env);
    const {env, profile} = options;
    this.#courier = options.courier ?? sharedDisk({env, ...(profile.node === undefined ? {} : {node: profile.node})});
    this.#watch = new SlurmWatch(this.#client, this.#courier, profile.pollMs, (lost) => this.#sendAgain(lost));
    this.#leftovers = new SlurmLeftovers(options.dir, this.#client, this.#courier);
    setMaxListeners(0, this.#stop.signal);
  }

  async run(job: Job, emit: Flight['emit'], signal: AbortSignal): Promise<Result<JobResult, Failure>> {
    return this.runAll([job], emit, signal)[0]!;
  }

  runAll(
    jobs: readonly Job[],
    emit: Flight['emit'],
    signal: AbortSignal,
  ): readonly Promise<Result<JobResult, Failure>>[] {
    const flights: Flight[] = [];
    const results = jobs.map(
      (job) =>
        new Promise<Result<JobResult, Failure>>((resolve) => {
          const answer: Flight['answer'] = (result) => {
            flight.settled = true;
            resolve(result.ok ? result : err({...result.error, node: job.node}));
          };
          const flight: Flight = {job, emit, signal, answer, settled: false, losses: 0};
          flights.push(flight);
        }),
    );
    this.#listen(signal);
    void this.#launch(flights);
    return results;
  }

  async holds(id: string): Promise<boolean> {
    return this.#leftovers.holds(id).catch(() => false);
  }

  kill(): void {
    this.#closed = true;
    this.#stop.abort();
    const waiting = this.#outbox.flat();
    this.#outbox = [];
    for (const flight of waiting) flight.answer(err(cancelled()));
    this.#watch.killAll();
  }

  async close(): Promise<void> {
    this.kill();
    await this.#sending;
    this.#courier.close();
    await this.#watch.close();
  }

  async #launch(flights: readonly Flight[]): Promise<void> {
    const rest: Flight[] = [];
    for (const flight of flights) {
      const live = flight.signal.aborted ? undefined : await this.#adopt(flight);
      if (live) this.#watch.add(live);
      else if (!flight.settled) rest.push(flight);
    }
    if (this.#closed) this.#watch.killAll();
    if (rest.length > 0) this.#send(rest);
  }

  /** What cannot be read of an earlier run is as if it were not there. */
  async #adopt(flight: Flight): Promise<LiveSubmission | undefined> {
    try {
      return await this.#leftovers.adopt(flight);
    } catch {
      return undefined;
    }
  }

  #send(unit: Flight[]): void {
    if (this.#closed) {
      for (const flight of unit) flight.answer(err(cancelled()));
      return;
    }
    this.#outbox.push(unit);
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined));
  }

  /** Sends what is in the outbox, and what comes in while it does. */
  async #sendAll(): Promise<void> {
    await pause(lingerMs);
    while (this.#outbox.length > 0) {
      const groups = new Map<string, Flight[][]>();
      for (const unit of this.#outbox.splice(0)) {
        const wanted = unit.filter((flight) => !isDropped(flight));
        for (const flight of unit) if (isDropped(flight)) flight.answer(err(cancelled()));
        if (wanted.length === 0) continue;
        const jobs = wanted.map(({job}) => job);
        const key = JSON.stringify(resourceArguments(jobs, this.#options.profile));
        const group = groups.get(key);
        if (group) group.push(wanted);
        else groups.set(key, [wanted]);
      }
      const chunks: Flight[][][] = [];
      for (const units of groups.values()) {
        const most = units.length === 1 ? 1 : await (this.#largestArray ??= this.#client.largestArray());
        for (let at = 0; at < units.length; at += most) chunks.push(units.slice(at, at + most));
      }
      const submitOn = async (): Promise<void> => {
        for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) await this.#submit(chunk);
      };
      await Promise.all(Array.from({length: mostAtOnce}, submitOn));
    }
  }

  async #submit(all: readonly Flight[][]): Promise<void> {
    const {dir, runId, profile} = this.#options;
    const units = await this.#load(all);
    if (units.length === 0) return;
    const folder = join(dir, `${runId}-${++this.#count}`);
    const jobs = units.map((unit) => unit.map(({job}) => job));
    const dispatch = await this.#dispatch(folder, jobs, this.#stopOf(units.flat()));
    if (!dispatch.ok) {
      for (const flight of units.flat()) flight.answer(err(dispatch.error));
      await discard(folder);
      return;
    }
    const comment = `mixdown:${keyOf(jobs)}`;
    const args = sbatchArguments(
      {
        ...dispatch.value,
        script: join(folder, scriptName),
        name: nameOf(units),
        comment,
        tasks: units.length,
        jobs: jobs[0]!,
      },
      profile,
    );
    const said = await this.#submitPatiently(args, comment, units.flat());
    if (!said.ok) {
      for (const flight of units.flat()) flight.answer(err(said.error.failure));
      await discard(folder);
      return;
    }
    const sizes = units.map((unit) => unit.length);
    const live = liveSubmission(folder, said.value, sizes);
    units.forEach((unit, task) => {
      unit.forEach((flight, index) => (live.tasks[task]!.flights[index] = flight));
      tell(unit[0]!, `submitted as Slurm job ${live.tasks[task]!.id}`);
    });
    noteJobId(folder, said.value);
    this.#watch.add(live);
    if (this.#closed) this.#watch.killAll();
    else this.#watch.cancelDropped();
  }

  /** The jobs whose inputs their node can have; all others are answered for. */
  async #load(units: readonly Flight[][]): Promise<Flight[][]> {
    const flights = units.flat();
    const jobs = flights.map(({job}) => job);
    const problems = await this.#courier.load(jobs, this.#stopOf(flights));
    if (problems.size === 0) return [...units];
    for (const flight of flights) {
      const problem = problems.get(flight.job);
      if (problem) flight.answer(err(isDropped(flight) ? cancelled() : problem));
    }
    return units.map((unit) => unit.filter(({settled}) => !settled)).filter((unit) => unit.length > 0);
  }

  async #dispatch(folder: string, units: readonly Job[][], signal: AbortSignal): Promise<Result<Dispatch, Failure>> {
    try {
      mkdirSync(this.#options.dir, {recursive: true, mode: 0o700});
      const dispatch = await this.#courier.dispatch(folder, units, signal);
      if (dispatch.ok) await writeSubmission(folder, units, dispatch.value.script);
      return dispatch;
    } catch (error) {
      return err(failure('worker-crashed', `the job could not be submitted: ${(error as Error).message}`));
    }
  }

  /** Aborted when the runner ends, or all of these are given up: those of one run are so together. */
  #stopOf(flights: readonly Flight[]): AbortSignal {
    const [signal, ...others] = new Set(flights.map((flight) => flight.signal));
    return signal && others.length === 0 ? AbortSignal.any([this.#stop.signal, signal]) : this.#stop.signal;
  }

  /** An order that got no answer may have been carried out: the queue is asked before it is given again. */
  async #submitPatiently(
    args: readonly string[],
    comment: string,
    flights: readonly Flight[],
  ): Promise<Result<string, SlurmTrouble>> {
    for (let attempt = 0; ; attempt++) {
      const said = await this.#client.submit(args);
      const waitMs = retryMs[attempt];
      if (said.ok || !said.error.passing || waitMs === undefined || flights.every(isDropped)) return said;
      await pause(waitMs);
      const queue = await this.#client.queue();
      const found = queue.ok ? [...queue.value.values()].find((entry) => entry.comment === comment) : undefined;
      if (found) return {ok: true, value: found.id.split('_')[0]!};
    }
  }

  #sendAgain(lost: readonly Loss[]): void {
    const again: Flight[] = [];
    for (const {flight, why} of lost) {
      flight.losses++;
      if (flight.losses < mostLosses) again.push(flight);
      else flight.answer(err(why ?? lostTooOften));
      const text = why?.message ?? 'lost its host through no fault of its own';
      if (flight === again[0]) tell(flight, `${text}; submitted again`);
    }
    if (again.length > 0) this.#send(again);
  }

  #listen(signal: AbortSignal): void {
    if (this.#signals.has(signal)) return;
    this.#signals.add(signal);
    // Jobs of a run share few signals, and each is listened to once.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', () => this.#drop(), {once: true});
  }

  #drop(): void {
    for (const flight of this.#outbox.flat()) if (isDropped(flight)) flight.answer(err(cancelled()));
    this.#watch.cancelDropped();
  }
}

/** The name in the queue, for people. */
function nameOf(units: readonly (readonly Flight[])[]): string {
  const names = new Set(units.map((unit) => unit[0]!.job.node));
  const [first = ''] = names;
  return `mixdown:${folderName(names.size === 1 ? first : first.replace(/\[.*$/s, ''))}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
