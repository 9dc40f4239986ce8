import type {Lease} from '../core/resources.ts';
import {threadsOf} from './environment.ts';
import type {WorkerProcess} from './worker-process.ts';

export interface PoolOptions {
  /** Most workers alive at a time; a job beyond waits for one to become free. */
  readonly workers: number;
  readonly start: (lease: Lease) => WorkerProcess;
}

interface Member {
  readonly worker: WorkerProcess;
  readonly kind: string;
  /** Tensor engine of the jobs it has run: a process can hold but one. Empty while there was none. */
  engine: string;
  readonly gpus: ReadonlySet<string>;
  busy: boolean;
}

interface Waiter {
  readonly lease: Lease;
  readonly engine: string;
  readonly resolve: (worker: WorkerProcess | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Warm workers by lease kind (devices and threads) and tensor engine. A worker's environment is fixed when it starts, and its
 * engine with the first job that has one, so a job only goes to a worker that suits it; idle ones that do not make room.
 */
export class WorkerPool {
  readonly #options: PoolOptions;
  /** Least recently used first. */
  #members: Member[] = [];
  #waiters: Waiter[] = [];
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * A worker for the lease, reserved for the caller; undefined when cancelled or when the pool is closed.
   *
   * @param engine - class of the tensor engine that the job computes with; empty for none
   * @throws Error of the system when no process can be started.
   */
  async acquire(lease: Lease, engine: string, signal: AbortSignal): Promise<WorkerProcess | undefined> {
    await this.releaseDevices(lease, (member) => member.kind === kindOf(lease) && suits(member, engine));
    if (signal.aborted || this.#closed) return undefined;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        lease,
        engine,
        resolve: (worker) => {
          signal.removeEventListener('abort', onAbort);
          resolve(worker);
        },
        reject,
      };
      const onAbort = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        waiter.resolve(undefined);
      };
      signal.addEventListener('abort', onAbort, {once: true});
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  /** `keep`: the worker may take another job. */
  giveBack(worker: WorkerProcess, keep: boolean): void {
    const member = this.#members.find((other) => other.worker === worker);
    if (member && keep && !worker.dead && !this.#closed) {
      member.busy = false;
      this.#members = [...this.#members.filter((other) => other !== member), member];
    } else {
      this.#discard(worker);
    }
    this.#serve();
  }

  /** Ends idle workers that hold memory of the lease's devices, but for those that the caller can use. */
  async releaseDevices(lease: Lease, spare: (member: Readonly<Member>) => boolean = () => false): Promise<void> {
    const ending = this.#members.filter(
      (member) => !member.busy && !spare(member) && lease.gpus.some(({uuid}) => member.gpus.has(uuid)),
    );
    for (const {worker} of ending) this.#discard(worker);
    await Promise.all(ending.map(({worker}) => worker.ended));
  }

  killAll(): void {
    this.#closed = true;
    for (const {resolve} of this.#waiters.splice(0)) resolve(undefined);
    for (const {worker} of this.#members) worker.kill();
  }

  async close(): Promise<void> {
    this.killAll();
    await Promise.all(this.#members.map(({worker}) => worker.ended));
    this.#members = [];
  }

  #serve(): void {
    for (let waiter = this.#waiters[0]; waiter; waiter = this.#waiters[0]) {
      try {
        const member = this.#find(waiter);
        if (!member) return;
        this.#waiters.shift();
        member.busy = true;
        if (waiter.engine !== '') member.engine = waiter.engine;
        waiter.resolve(member.worker);
      } catch (error) {
        this.#waiters.shift();
        waiter.reject(error);
      }
    }
  }

  #find({lease, engine}: Waiter): Member | undefined {
    const kind = kindOf(lease);
    const idle = this.#members.filter(({busy, worker}) => !busy && !worker.dead);
    const suitable = idle.filter((member) => member.kind === kind && suits(member, engine));
    // What has the engine loaded is used with it, and what has none is kept for jobs that need none.
    const warm = suitable.findLast((member) => member.engine === engine) ?? suitable.at(-1);
    if (warm) return warm;
    if (this.#members.length >= this.#options.workers) {
      const oldest = idle[0];
      if (!oldest) return undefined;
      this.#discard(oldest.worker);
    }
    const worker = this.#options.start(lease);
    const gpus = new Set(lease.gpus.map(({uuid}) => uuid));
    const member: Member = {worker, kind, engine: '', gpus, busy: false};
    this.#members.push(member);
    void this.#retireAtEnd(worker);
    return member;
  }

  async #retireAtEnd(worker: WorkerProcess): Promise<void> {
    await worker.ended;
    this.#discard(worker);
    this.#serve();
  }

  #discard(worker: WorkerProcess): void {
    worker.kill();
    this.#members = this.#members.filter((member) => member.worker !== worker);
  }
}

/** A process without an engine can still load any, and one with an engine does for a job without. */
function suits(member: Readonly<Member>, engine: string): boolean {
  return engine === '' || member.engine === '' || member.engine === engine;
}

function kindOf(lease: Lease): string {
  return `${lease.gpus.map(({uuid}) => uuid).join(',')}/${threadsOf(lease)}`;
}
