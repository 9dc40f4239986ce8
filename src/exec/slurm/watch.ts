import {failure, type Failure} from '../../core/failure.ts';
import type {NodeId} from '../../core/pipeline.ts';
import {err} from '../../core/result.ts';
import type {SlurmClient} from './client.ts';
import type {Courier} from './courier.ts';
import {readResult, resultName} from './files.ts';
import {endFailure, isOrdinaryReason, verdictOn, type QueueEntry} from './queue.ts';
import {discard} from './submissions.ts';
import {
  cancelled,
  isDropped,
  lastOutput,
  namesOf,
  openFlights,
  takeResult,
  tell,
  tellEvents,
  type Flight,
  type LiveSubmission,
  type LiveTask,
} from './task.ts';

/** A job that must be done again; `why` unless it was its host that was lost. */
export interface Loss {
  readonly flight: Flight;
  readonly why?: Failure;
}

type Queue = ReadonlyMap<string, QueueEntry>;

/** Time between looks while something happens, unless the site wants less at most. */
const usualMs = 1000;
/** After so many looks at which nothing had happened, the interval grows by this factor. */
const looksBeforeGrowth = 5;
const growth = 1.5;

/**
 * How long a result may take to become visible here after the queue says that its job is over: NFS clients remember for a
 * while what a folder holds. A job that ended badly seldom left one.
 */
const patienceMs = 60_000;
const patienceAfterFailureMs = 5000;

/** A controller that is restarted is away for less; what is away for longer is told, and then again. */
const awayMs = 60_000;
const stillAwayMs = 3_600_000;

/** How often the queue is looked at while jobs that were cancelled end. */
const endingMs = 250;

/**
 * Looks after submitted jobs, all with one call of `squeue` at a time: every second at first, then less often while nothing
 * happens. What a job left in its submission is the truth; the queue only says whether to go on waiting.
 */
export class SlurmWatch {
  readonly #client: SlurmClient;
  readonly #courier: Pick<Courier, 'bring' | 'explain' | 'requirements'>;
  readonly #longestMs: number;
  readonly #sendAgain: (lost: readonly Loss[]) => void;
  readonly #live = new Set<LiveSubmission>();
  readonly #ending = new Set<Promise<unknown>>();
  /** Nodes that were said to wait in the queue, or to run. */
  readonly #waits = new Map<NodeId, boolean>();
  #polling: Promise<void> | undefined;
  readonly #shortestMs: number;
  #intervalMs: number;
  #idleLooks = 0;
  /** Since when nobody has answered, and how often that was told. */
  #silent: {readonly since: number; told: number} | undefined;
  #wake: () => void = () => {};

  /** @param sendAgain - told of jobs that must be done again */
  constructor(
    client: SlurmClient,
    courier: Pick<Courier, 'bring' | 'explain' | 'requirements'>,
    longestMs: number,
    sendAgain: (lost: readonly Loss[]) => void,
  ) {
    this.#client = client;
    this.#courier = courier;
    this.#longestMs = longestMs;
    this.#shortestMs = Math.min(usualMs, longestMs);
    this.#intervalMs = this.#shortestMs;
    this.#sendAgain = sendAgain;
  }

  add(submission: LiveSubmission): void {
    this.#live.add(submission);
    this.#hurry();
    this.#polling ??= this.#poll().finally(() => (this.#polling = undefined));
  }

  /** Cancels tasks that nobody waits for any more, and answers for them when they have ended. */
  cancelDropped(): void {
    const tasks = [...this.#live].flatMap((live) =>
      live.tasks.filter(
        (task) => !task.cancelling && openFlights(task).length > 0 && openFlights(task).every(isDropped),
      ),
    );
    if (tasks.length === 0) return;
    for (const task of tasks) task.cancelling = true;
    this.#keep(this.#cancel(tasks));
  }

  /** Kills all jobs and answers for them at once. */
  killAll(): void {
    const tasks = [...this.#live].flatMap((live) => live.tasks.filter((task) => openFlights(task).length > 0));
    const ids = tasks.map(({id}) => id);
    for (const task of tasks) for (const flight of openFlights(task)) flight.answer(err(cancelled()));
    if (ids.length > 0) this.#keep(this.#client.cancel(ids).then(() => this.#client.cancel(ids, 'KILL')));
    this.#hurry();
  }

  async close(): Promise<void> {
    await Promise.all(this.#ending);
    await this.#polling;
  }

  async #cancel(tasks: readonly LiveTask[]): Promise<void> {
    const ids = tasks.map(({id}) => id);
    const flights = tasks.flatMap(openFlights);
    const trouble = await this.#client.cancel(ids);
    if (!trouble) {
      const graceMs = Math.max(...flights.map(({job}) => job.graceMs));
      const until = performance.now() + graceMs;
      let left = await this.#stillThere(ids);
      while (left.length > 0 && performance.now() < until && flights.some(({settled}) => !settled)) {
        await pause(endingMs);
        left = await this.#stillThere(ids);
      }
      if (left.length > 0) await this.#client.cancel(left, 'KILL');
    }
    const hint = trouble && `${trouble.failure.message}: these jobs may go on, see \`squeue\`: ${ids.join(' ')}`;
    for (const flight of flights) if (!flight.settled) flight.answer(err(cancelled(hint)));
    this.#hurry();
  }

  async #stillThere(ids: readonly string[]): Promise<readonly string[]> {
    const queue = await this.#client.queue();
    return queue.ok ? ids.filter((id) => verdictOn(queue.value.get(id)?.state) !== 'over') : ids;
  }

  #keep(work: Promise<unknown>): void {
    this.#ending.add(work);
    void work.finally(() => this.#ending.delete(work));
  }

  #hurry(): void {
    this.#idleLooks = 0;
    this.#wake();
  }

  async #poll(): Promise<void> {
    while (this.#live.size > 0) {
      // The queue first: of a job that it calls over, everything was written before.
      const queue = await this.#client.queue();
      this.#tellSilence(queue.ok ? undefined : queue.error.failure);
      let changed = false;
      for (const live of this.#live) {
        changed = (await this.#look(live, queue.ok ? queue.value : undefined)) || changed;
      }
      this.#tellQueued();
      if (this.#live.size === 0) return;
      this.#idleLooks = changed ? 0 : this.#idleLooks + 1;
      if (this.#idleLooks <= looksBeforeGrowth) this.#intervalMs = this.#shortestMs;
      else this.#intervalMs = Math.min(this.#longestMs, this.#intervalMs * growth);
      await this.#pause(this.#intervalMs);
    }
  }

  /** Jobs do not need the controller to go on, nor their results to be taken over: so it is waited for, without end. */
  #tellSilence(problem: Failure | undefined): void {
    const [listener] = [...this.#live].flatMap(({tasks}) => tasks.flatMap(openFlights));
    if (!problem || !listener) {
      if (listener && this.#silent && this.#silent.told > 0)
        tell(listener, 'the controller of the cluster answers again');
      this.#silent = undefined;
      return;
    }
    this.#silent ??= {since: performance.now(), told: 0};
    const {since, told} = this.#silent;
    const silentMs = performance.now() - since;
    if (silentMs < (told === 0 ? awayMs : told * stillAwayMs)) return;
    this.#silent.told++;
    const message = `no answer from the cluster's controller for ${Math.round(silentMs / 60_000)} min: ${problem.message}`;
    const hint = 'jobs go on, and what they make is taken over; ask `sinfo` when the controller will be back';
    listener.emit({type: 'warning', at: Date.now(), failure: failure('no-executor', message, {hint})});
  }

  /** Says of each node whether all its jobs wait, or one runs. */
  #tellQueued(): void {
    const seen = new Map<NodeId, {waits: boolean; readonly flight: Flight}>();
    for (const task of [...this.#live].flatMap(({tasks}) => tasks)) {
      const [flight] = openFlights(task);
      if (!flight) continue;
      const {node} = flight.job;
      const verdict = task.state === '' ? 'waits' : verdictOn(task.state);
      if (verdict !== 'waits' && verdict !== 'runs') continue;
      const waits = verdict === 'waits' && (seen.get(node)?.waits ?? true);
      seen.set(node, {waits, flight});
    }
    for (const node of this.#waits.keys()) if (!seen.has(node)) this.#waits.delete(node);
    for (const [node, {waits, flight}] of seen) {
      if (this.#waits.get(node) === waits) continue;
      this.#waits.set(node, waits);
      flight.emit({type: 'node-queue', at: Date.now(), node, waits});
    }
  }

  /** @returns whether something happened */
  async #look(live: LiveSubmission, queue: Queue | undefined): Promise<boolean> {
    const names = namesOf(live.folder);
    let changed = false;
    for (const task of live.tasks) {
      if (openFlights(task).length === 0) continue;
      const entry = queue?.get(task.id);
      const verdict = queue ? verdictOn(entry?.state) : 'runs';
      const before = task.told;
      tellEvents(live.folder, task);
      changed ||= task.told > before || (entry !== undefined && entry.state !== task.state);
      task.state = entry?.state ?? task.state;
      changed = this.#collect(live, task, names, verdict === 'over') || changed;
      const open = openFlights(task);
      if (open.length === 0 || task.cancelling) continue;
      if (verdict === 'waits' && entry) tellReason(task, entry);
      if ((verdict === 'lost' || verdict === 'over') && this.#bring(live, task)) continue;
      if (verdict === 'lost') {
        this.#giveBack(
          live,
          task,
          open.map((flight) => ({flight})),
        );
        changed = true;
      }
      if (verdict === 'over') {
        task.overSince ??= performance.now();
        const patience = entry && entry.state !== 'COMPLETED' ? patienceAfterFailureMs : patienceMs;
        changed = true;
        if (performance.now() - task.overSince >= patience) await this.#giveUp(live, task, entry);
      } else task.overSince = undefined;
    }
    await this.#finish(live);
    return changed;
  }

  #collect(live: LiveSubmission, task: LiveTask, names: ReadonlySet<string>, insist: boolean): boolean {
    let found = false;
    for (const [index, flight] of task.flights.entries()) {
      if (!flight || flight.settled) continue;
      // Opening a file asks the server where reading the folder may not.
      if (!insist && !names.has(resultName(task.index, index))) continue;
      const file = readResult(live.folder, task.index, index);
      if (!file) continue;
      found = true;
      try {
        flight.answer(takeResult(live.folder, file, flight.job));
      } catch (error) {
        const message = `the result of the job could not be taken over: ${(error as Error).message}`;
        flight.answer(err(failure('worker-crashed', message)));
      }
    }
    return found;
  }

  /**
   * Has what the task left brought here: once, and again at each further look while it is waited for.
   *
   * @returns whether the task is to be left alone until that is done
   */
  #bring(live: LiveSubmission, task: LiveTask): boolean {
    const {bring} = this.#courier;
    if (!bring) return false;
    const first = task.brought === 0;
    if (!task.bringing) {
      task.bringing = true;
      const indices = [...task.flights.keys()].filter((index) => task.flights[index]?.settled === false);
      this.#keep(
        bring(live.folder, task.index, indices).then(({again, trouble}) => {
          task.bringing = false;
          task.brought++;
          const lost = [...again].flatMap(([index, why]) => {
            const flight = task.flights[index];
            return flight && !isDropped(flight) ? {flight, why} : [];
          });
          this.#giveBack(live, task, lost);
          if (trouble) {
            live.kept = true;
            for (const flight of openFlights(task)) flight.answer(err(trouble));
          }
          this.#hurry();
        }),
      );
    }
    return first;
  }

  #giveBack(live: LiveSubmission, task: LiveTask, lost: readonly Loss[]): void {
    for (const {flight} of lost) task.flights[task.flights.indexOf(flight)] = undefined;
    live.dealtWith += lost.length;
    if (lost.length > 0) this.#sendAgain(lost);
  }

  async #giveUp(live: LiveSubmission, task: LiveTask, entry: QueueEntry | undefined): Promise<void> {
    const exitCode = await this.#client.exitCodeOf(task.id);
    const explained =
      !entry || entry.state === 'FAILED' ? this.#courier.explain?.(Number.parseInt(exitCode ?? '', 10)) : undefined;
    const said = lastOutput(live.folder, task.index);
    const details = [
      ...(exitCode === undefined || exitCode === '0:0' ? [] : [`exit code ${exitCode}`]),
      ...(said.length === 0 ? [] : [`last lines:\n${said.map((line) => `  ${line}`).join('\n')}`]),
    ];
    const problem: Failure = explained ?? endFailure(task.id, entry, details, this.#courier.requirements);
    for (const flight of openFlights(task)) flight.answer(err(problem));
  }

  /** Removes a submission when no job of it is open; what nobody here waits for stays for whoever asks for it. */
  async #finish(live: LiveSubmission): Promise<void> {
    if (live.tasks.some((task) => openFlights(task).length > 0)) return;
    this.#live.delete(live);
    const unknown = live.tasks.reduce((sum, {flights}) => sum + flights.filter((flight) => !flight).length, 0);
    if (unknown <= live.dealtWith && !live.kept) await discard(live.folder);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function tellReason(task: LiveTask, {reason}: QueueEntry): void {
  if (reason === task.reason || isOrdinaryReason(reason)) return;
  task.reason = reason;
  const [first] = openFlights(task);
  if (first) tell(first, `Slurm job ${task.id} waits: ${reason}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
