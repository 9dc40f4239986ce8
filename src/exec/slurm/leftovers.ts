import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {err} from '../../core/result.ts';
import type {SlurmClient} from './client.ts';
import type {Brought, Courier} from './courier.ts';
import {processHost} from '../process-tree.ts';
import {readResult} from './files.ts';
import {verdictOn, type QueueEntry} from './queue.ts';
import {
  discard,
  hasEnded,
  leftSubmissions,
  noteJobId,
  own,
  sourcesMovedSince,
  type LeftSubmission,
} from './submissions.ts';
import {ticketName} from './ticket.ts';
import {liveSubmission, tell, type Flight, type LiveSubmission, type LiveTask} from './task.ts';

/** A job of a run that is gone. */
interface Left {
  readonly submission: LeftSubmission;
  readonly live: LiveSubmission;
  readonly task: number;
  readonly index: number;
  /** Its task waits in the queue or runs; as far as one can tell when the queue cannot be asked. */
  readonly alive: boolean;
}

/** Submissions that nobody asked for in so long a time are removed once their jobs are over. */
const keptMs = 7 * 24 * 3_600_000;

/** What runs that were killed left in the queue, and what their jobs have made since. */
export class SlurmLeftovers {
  readonly #dir: string;
  readonly #client: SlurmClient;
  readonly #courier: Pick<Courier, 'bring'>;
  /** Of tasks that are over: what they left is brought here once. */
  readonly #bringing = new Map<LiveTask, Promise<Brought>>();
  /** By fingerprint. Items with the same content have the same one, and a job each. */
  #found: Promise<Map<string, Left[]>> | undefined;

  constructor(dir: string, client: SlurmClient, courier: Pick<Courier, 'bring'>) {
    this.#dir = dir;
    this.#client = client;
    this.#courier = courier;
  }

  /** Whether the job still runs, or has ended well. */
  async holds(id: string): Promise<boolean> {
    for (const left of (await this.#all()).get(id) ?? []) {
      await this.#bring(left);
      if (isUsable(left)) return true;
    }
    return false;
  }

  /** Lets the flight wait for the job that an earlier run submitted; undefined when there is none that can be used. */
  async adopt(flight: Flight): Promise<LiveSubmission | undefined> {
    const all = await this.#all();
    const left = all.get(flight.job.id)?.shift();
    if (!left) return undefined;
    const {submission, live, task, index} = left;
    const trouble = flight.job.anew ? undefined : (await this.#bring(left))?.trouble;
    if (trouble) {
      flight.answer(err(trouble));
      return undefined;
    }
    if (flight.job.anew || !isUsable(left) || sourcesMovedSince(flight.job, submission.writtenAtMs)) {
      live.dealtWith++;
      const {id, flights} = live.tasks[task]!;
      if (left.alive && flights.length === 1) await this.#client.cancel([id]);
      const total = live.tasks.reduce((sum, other) => sum + other.flights.length, 0);
      if (live.dealtWith === total) await discard(submission.folder);
      return undefined;
    }
    own(submission.folder, submission.file);
    live.tasks[task]!.flights[index] = flight;
    tell(flight, `goes on with Slurm job ${live.tasks[task]!.id}, which an earlier run submitted`);
    return live;
  }

  /** What a task that is over has left somewhere else. */
  async #bring({submission: {folder}, live, task, alive}: Left): Promise<Brought | undefined> {
    const {bring} = this.#courier;
    if (!bring || alive) return undefined;
    const one = live.tasks[task]!;
    let bringing = this.#bringing.get(one);
    if (!bringing) this.#bringing.set(one, (bringing = bring(folder, task, [...one.flights.keys()])));
    return bringing;
  }

  #all(): Promise<Map<string, Left[]>> {
    return (this.#found ??= this.#find());
  }

  async #find(): Promise<Map<string, Left[]>> {
    const found = new Map<string, Left[]>();
    const submissions = await leftSubmissions(this.#dir, Date.now());
    if (submissions.length === 0) return found;
    const said = await this.#client.queue();
    const queue = said.ok ? said.value : undefined;
    for (const submission of submissions) {
      const {folder, file} = submission;
      const jobId = submission.id ?? (queue && idOf(file.key, queue));
      if (jobId === undefined) {
        // If it was given to Slurm nevertheless, its tasks find nothing to do.
        if (queue) await discard(folder);
        continue;
      }
      if (submission.id === undefined) noteJobId(folder, jobId);
      const sizes = file.tasks.map((ids) => ids.length);
      const live = liveSubmission(folder, jobId, sizes);
      const alive = live.tasks.map(({id}) => {
        const verdict = queue ? verdictOn(queue.get(id)?.state) : 'runs';
        return verdict === 'waits' || verdict === 'runs';
      });
      if (!alive.includes(true) && Date.now() - submission.writtenAtMs > keptMs) {
        await discard(folder);
        continue;
      }
      // What went the other way to its node comes back by it alone.
      if (existsSync(join(folder, ticketName)) !== (this.#courier.bring !== undefined)) continue;
      file.tasks.forEach((ids, task) => {
        ids.forEach((id, index) => {
          const left: Left = {submission, live, task, index, alive: alive[task]!};
          const others = found.get(id);
          if (others) others.push(left);
          else found.set(id, [left]);
        });
      });
    }
    return found;
  }
}

/** Cancels all that no run waits for, and removes it. Returns how many submissions that were. */
export async function discardLeftovers(dir: string, client: SlurmClient, now: number): Promise<number> {
  const left = await leftSubmissions(dir, now);
  const ids = left.flatMap(({id}) => id ?? []);
  // Where Slurm does not answer, the tasks find nothing to do when they start.
  if (ids.length > 0) await client.cancel(ids);
  for (const {folder} of left) await discard(folder);
  return left.length;
}

/**
 * Cancels tasks that no run waits for and whose results came about in another way, and removes submissions of nothing else.
 * Of an owner on another host it is not known whether it lives, so its submissions stay.
 *
 * @param isThere - whether there is a result for a fingerprint
 * @returns how many tasks were cancelled
 */
export async function cancelUseless(
  dir: string,
  client: SlurmClient,
  isThere: (fingerprint: string) => boolean,
  now: number,
): Promise<number> {
  const left = (await leftSubmissions(dir, now)).filter(
    ({id, file}) => id !== undefined && file.owner.host === processHost(),
  );
  const useless = left.map(({id, file}) =>
    liveSubmission(
      '',
      id!,
      file.tasks.map(({length}) => length),
    ).tasks.filter(({index}) => file.tasks[index]!.every(isThere)),
  );
  if (useless.every((tasks) => tasks.length === 0)) return 0;
  const queue = await client.queue();
  if (!queue.ok) return 0;
  const alive = useless
    .flatMap((tasks) => tasks.map(({id}) => id))
    .filter((id) => {
      const verdict = verdictOn(queue.value.get(id)?.state);
      return verdict === 'waits' || verdict === 'runs';
    });
  if (alive.length > 0 && (await client.cancel(alive))) return 0;
  for (const [index, {folder, file}] of left.entries()) {
    if (useless[index]!.length === file.tasks.length) await discard(folder);
  }
  return alive.length;
}

function isUsable({submission: {folder}, task, index, alive}: Left): boolean {
  const ended = readResult(folder, task, index);
  if (ended) return ended.result.ok;
  return alive && !hasEnded(folder, task, index);
}

function idOf(key: string, queue: ReadonlyMap<string, QueueEntry>): string | undefined {
  for (const {id, comment} of queue.values()) if (comment === `mixdown:${key}`) return id.split('_')[0];
  return undefined;
}
