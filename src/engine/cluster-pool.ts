import {failure, type Failure} from '../core/failure.ts';
import {Heap} from '../core/heap.ts';
import type {Lease, Resources} from '../core/resources.ts';
import {err, ok, type Result} from '../core/result.ts';

/** Whoever hands out leases. */
export interface LeasePool {
  /**
   * Resolves when the resources are free; fails at once when they can never be.
   *
   * @param halt - aborting it turns the request down while it waits
   */
  acquire(wanted: Resources, priority: number, halt: AbortSignal): Promise<Result<Lease, Failure>>;
  release(lease: Lease): void;
}

interface Waiting {
  readonly wanted: Resources;
  readonly priority: number;
  readonly order: number;
  readonly halt: AbortSignal;
  readonly answer: (result: Result<Lease, Failure>) => void;
}

/**
 * Leases on a cluster: its own scheduler shares out hosts and devices, so here only the number of jobs in its queue is
 * bounded. What waits goes by priority.
 */
export class ClusterPool implements LeasePool {
  readonly #waiting = new Heap<Waiting>(
    (a, b) => a.priority > b.priority || (a.priority === b.priority && a.order < b.order),
  );
  readonly #held = new Set<Lease>();
  readonly #slots: number;
  readonly #halts = new WeakSet<AbortSignal>();
  #order = 0;
  #pumping = false;

  /** @param slots - leases at a time */
  constructor(slots: number) {
    this.#slots = Math.max(1, slots);
  }

  async acquire(wanted: Resources, priority: number, halt: AbortSignal): Promise<Result<Lease, Failure>> {
    if (halt.aborted) return err(stopped);
    if (!this.#halts.has(halt)) {
      this.#halts.add(halt);
      halt.addEventListener('abort', () => this.#turnDown(), {once: true});
    }
    return new Promise((answer) => {
      this.#waiting.push({wanted, priority, order: this.#order++, halt, answer});
      this.#pumpSoon();
    });
  }

  release(lease: Lease): void {
    if (!this.#held.delete(lease)) throw new Error('release: not a lease of this pool, or released before');
    this.#pumpSoon();
  }

  /** As in the device pool: the most urgent of those that became ready together goes first. */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      while (this.#held.size < this.#slots) {
        const next = this.#waiting.pop();
        if (!next) return;
        const lease = leaseFor(next.wanted);
        this.#held.add(lease);
        next.answer(ok(lease));
      }
    });
  }

  /** Turns down those whose run has ended; the others wait on. */
  #turnDown(): void {
    const others: Waiting[] = [];
    for (let next = this.#waiting.pop(); next; next = this.#waiting.pop()) {
      if (next.halt.aborted) next.answer(err(stopped));
      else others.push(next);
    }
    for (const other of others) this.#waiting.push(other);
  }
}

const stopped: Failure = failure('cancelled', 'the run was stopped');

/** Part of a device cannot be asked for: sites differ in how they share them. */
function leaseFor({cpu, memoryMiB = 0, gpu}: Resources): Lease {
  return {cpu, memoryMiB, gpus: [], device: 'slurm', cluster: {executor: 'slurm', gpu: Math.ceil(gpu)}};
}
