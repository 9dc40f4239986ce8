import {failure, type Failure} from '../core/failure.ts';
import {Heap} from '../core/heap.ts';
import type {Gpu, Lease, Machine, Resources} from '../core/resources.ts';
import {err, ok, type Result} from '../core/result.ts';
import {areEnough} from '../core/tensor-engine.ts';

interface Waiting {
  readonly resources: Resources;
  readonly priority: number;
  readonly order: number;
  readonly halt: AbortSignal;
  readonly answer: (result: Result<Lease, Failure>) => void;
}

/** Requests that need the same things: only the first of each class has to be looked at. */
interface WaitingClass {
  readonly resources: Resources;
  readonly heap: Heap<Waiting>;
}

interface DeviceState {
  readonly gpu: Gpu;
  /** Part of the device that is free, 0 ... 1. */
  share: number;
  memoryMiB: number;
}

interface Grant {
  readonly devices: readonly {readonly state: DeviceState; readonly share: number; readonly memoryMiB: number}[];
}

/** Floating-point slack when fractions of a device add up to one. */
const shareSlack = 1e-9;

/**
 * Hands out cores, memory and devices, the most urgent request first. A smaller request may pass a larger one that does
 * not fit yet, but only so often: then nothing is granted until the larger one fits, so that none waits for ever.
 * Runs of one process may share a pool.
 */
export class DevicePool {
  readonly #machine: Machine;
  readonly #jobs: number;
  readonly #devices: readonly DeviceState[];
  readonly #classes = new Map<string, WaitingClass>();
  readonly #grants = new Map<Lease, Grant>();
  #cpu: number;
  #memoryMiB: number;
  /** Those that are listened to. */
  readonly #halts = new WeakSet<AbortSignal>();
  #order = 0;
  #passes = 0;
  #pumping = false;

  /** @param jobs - cores to use at most; a request for more is cut down to it */
  constructor(machine: Machine, jobs: number) {
    this.#machine = machine;
    this.#jobs = jobs;
    this.#cpu = jobs;
    this.#memoryMiB = machine.memoryMiB;
    this.#devices = machine.gpus.map((gpu) => ({gpu, share: 1, memoryMiB: gpu.memoryMiB}));
  }

  /**
   * Resolves when the resources are free. Fails at once when this machine can never provide them.
   *
   * @param halt - aborting it turns down everybody who waits with it
   */
  async acquire(wanted: Resources, priority: number, halt: AbortSignal): Promise<Result<Lease, Failure>> {
    const fitted = this.#fit(wanted);
    if (!fitted.ok) return fitted;
    if (halt.aborted) return err(stopped);
    this.#listenTo(halt);
    const {promise, resolve: answer} = deferred<Result<Lease, Failure>>();
    this.#classOf(fitted.value).push({resources: fitted.value, priority, order: this.#order++, halt, answer});
    this.#pumpSoon();
    return promise;
  }

  release(lease: Lease): void {
    const grant = this.#grants.get(lease);
    if (!grant) throw new Error('release: not a lease of this pool, or released before');
    this.#grants.delete(lease);
    this.#cpu += lease.cpu;
    this.#memoryMiB += lease.memoryMiB;
    for (const {state, share, memoryMiB} of grant.devices) {
      state.share += share;
      state.memoryMiB += memoryMiB;
    }
    this.#pumpSoon();
  }

  /**
   * Grants are made when the current round of events is over: by then all nodes that became ready together are waiting,
   * and the most urgent of them goes first, not the first that asked.
   */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #listenTo(halt: AbortSignal): void {
    if (this.#halts.has(halt)) return;
    this.#halts.add(halt);
    halt.addEventListener('abort', () => this.#turnDown(halt), {once: true});
  }

  #turnDown(halt: AbortSignal): void {
    for (const {heap} of this.#classes.values()) {
      const others: Waiting[] = [];
      for (let waiting = heap.pop(); waiting; waiting = heap.pop()) {
        if (waiting.halt === halt) waiting.answer(err(stopped));
        else others.push(waiting);
      }
      for (const waiting of others) heap.push(waiting);
    }
    // Who was turned down may have been the one that nobody was to pass any more.
    this.#pumpSoon();
  }

  /** Cuts the request to what the machine has, or says why it cannot be met. */
  #fit(wanted: Resources): Result<Resources, Failure> {
    const memoryMiB = wanted.memoryMiB ?? 0;
    if (memoryMiB > this.#machine.memoryMiB) {
      return err(
        failure(
          'resources-unsatisfiable',
          `needs ${memoryMiB} MiB of memory; this machine has ${this.#machine.memoryMiB} MiB`,
          {
            hint: 'Lower resources.memoryMiB, or run on a larger machine.',
          },
        ),
      );
    }
    const cpu = Math.min(wanted.cpu, this.#jobs);
    if (wanted.gpu === 0) return ok({...wanted, cpu});
    const reachable = this.#devices.flatMap(({gpu}) => (isReachable(gpu, wanted) ? [gpu] : []));
    if (areEnough(reachable, wanted)) return ok({...wanted, cpu});
    if (wanted.whenNoGpu === 'cpu') return ok({cpu, gpu: 0, whenNoGpu: 'cpu', memoryMiB});
    const memory = wanted.gpuMemoryMiB === undefined ? '' : ` with ${wanted.gpuMemoryMiB} MiB`;
    const found = reachable.map(({name, memoryMiB: size}) => `${name} (${size} MiB)`).join(', ');
    return err(
      failure('no-device', `needs ${wanted.gpu} GPU${memory}; this machine has ${found || 'none'}`, {
        hint: 'Set resources.whenNoGpu: cpu to fall back to the CPU, or run `mixdown devices` to see what is found.',
      }),
    );
  }

  #classOf(resources: Resources): Heap<Waiting> {
    const {cpu, memoryMiB = 0, gpu, gpuMemoryMiB = 0, api = ''} = resources;
    const key = JSON.stringify([cpu, memoryMiB, gpu, gpuMemoryMiB, api]);
    let group = this.#classes.get(key);
    if (!group) {
      group = {resources, heap: new Heap(isMoreUrgent)};
      this.#classes.set(key, group);
    }
    return group.heap;
  }

  #pump(): void {
    for (;;) {
      const heads = this.#heads();
      const urgent = heads[0];
      if (!urgent) return;
      const mayPass = this.#passes < 2 * this.#jobs;
      const chosen = (mayPass ? heads : [urgent]).find(({resources}) => this.#fits(resources));
      if (!chosen) return;
      this.#passes = chosen === urgent ? 0 : this.#passes + 1;
      const waiting = chosen.heap.pop()!;
      waiting.answer(ok(this.#take(waiting.resources)));
    }
  }

  /** Classes with somebody waiting, the most urgent first. */
  #heads(): WaitingClass[] {
    const heads = [...this.#classes.values()].filter(({heap}) => heap.size > 0);
    return heads.sort((a, b) => (isMoreUrgent(a.heap.peek()!, b.heap.peek()!) ? -1 : 1));
  }

  #fits(resources: Resources): boolean {
    if (resources.cpu > this.#cpu || (resources.memoryMiB ?? 0) > this.#memoryMiB) return false;
    return resources.gpu === 0 || this.#pick(resources).length === Math.max(1, Math.floor(resources.gpu));
  }

  /** Devices for a request: whole ones must be idle; a share goes where the least is left, to keep others whole. */
  #pick(resources: Resources): DeviceState[] {
    const memory = resources.gpuMemoryMiB ?? 0;
    const reachable = this.#devices.filter((d) => isReachable(d.gpu, resources) && d.memoryMiB >= memory);
    if (resources.gpu >= 1) {
      return reachable.filter((d) => d.share >= 1 - shareSlack).slice(0, Math.floor(resources.gpu));
    }
    const roomy = reachable.filter((d) => d.share + shareSlack >= resources.gpu);
    return roomy.sort((a, b) => a.share - b.share || a.gpu.index - b.gpu.index).slice(0, 1);
  }

  #take(resources: Resources): Lease {
    const picked = resources.gpu === 0 ? [] : this.#pick(resources);
    const devices = picked.map((state) => {
      const share = Math.min(1, resources.gpu);
      const memoryMiB = share === 1 ? state.memoryMiB : (resources.gpuMemoryMiB ?? 0);
      state.share -= share;
      state.memoryMiB -= memoryMiB;
      return {state, share, memoryMiB};
    });
    const memoryMiB = resources.memoryMiB ?? 0;
    this.#cpu -= resources.cpu;
    this.#memoryMiB -= memoryMiB;
    const gpus = picked.map(({gpu}) => gpu);
    const device = gpus.length === 0 ? 'cpu' : gpus.map((gpu) => `gpu${gpu.index}`).join('+');
    const lease: Lease = {cpu: resources.cpu, memoryMiB, gpus, device};
    this.#grants.set(lease, {devices});
    return lease;
  }
}

const stopped: Failure = failure('cancelled', 'the run was stopped');

/** CUDA is the rule: what names no other interface can only use devices that CUDA reaches. */
function isReachable(gpu: Gpu, {api}: Resources): boolean {
  return gpu.api === undefined || gpu.api === api;
}

function isMoreUrgent(a: Waiting, b: Waiting): boolean {
  return a.priority > b.priority || (a.priority === b.priority && a.order < b.order);
}

function deferred<T>(): {readonly promise: Promise<T>; readonly resolve: (value: T) => void} {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return {promise, resolve};
}
