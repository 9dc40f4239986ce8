import {failure} from '../core/failure.ts';
import type {Graph} from '../core/graph.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {PlannedNode} from '../core/plan.ts';
import {ClusterPool} from './cluster-pool.ts';
import {DevicePool} from './device-pool.ts';
import {executorOf} from './executor.ts';
import {isStale, type Planned} from './plan.ts';
import type {Recall} from './recall.ts';
import type {Rechecks} from './rechecks.ts';
import type {BuildRequest, NodeResult, RunContext} from './run-context.ts';
import {stepNode} from './step.ts';
import {unexpected} from './unexpected.ts';

/**
 * Starts each node when everything it is made from is there. Which of the started nodes gets the machine first is the
 * device pool's decision; this class only follows the edges.
 */
export class Scheduler {
  readonly #request: BuildRequest;
  readonly #graph: Graph;
  readonly #context: RunContext;
  readonly #halt = new AbortController();
  readonly #cancel = new AbortController();
  /** By position in the graph. With a node all its producers are in the plan. */
  readonly #planned: (PlannedNode | undefined)[];
  /** Producers that are not settled yet, of each node of the plan. */
  readonly #waiting: Int32Array;
  readonly #results = new Map<NodeId, NodeResult>();
  /** Nodes without a result, with the failed node that is to blame. */
  readonly #broken = new Map<number, NodeId>();
  /** 1 for nodes whose planned result stands because everything above it stood. */
  readonly #untouched: Uint8Array;
  /** First come, first started; entries before `next` were started. */
  readonly #ready: number[] = [];
  /** Nodes that run again since what they had left is gone, and those that could not. */
  readonly #remaking = new Map<NodeId, Promise<NodeResult>>();
  readonly #quiet: boolean;
  #next = 0;
  #running = 0;
  #idle: () => void = () => {};

  /** @param quiet - nodes that are found up to date are not told of: an earlier turn of the run has done so */
  constructor(
    planned: Planned,
    request: BuildRequest,
    {rechecks, quiet = false}: {readonly rechecks?: Rechecks; readonly quiet?: boolean} = {},
  ) {
    this.#request = request;
    this.#quiet = quiet;
    this.#graph = request.graph;
    const size = request.graph.nodes.length;
    this.#planned = Array.from({length: size});
    this.#waiting = new Int32Array(size);
    this.#untouched = new Uint8Array(size);
    for (const node of planned.plan.nodes) {
      const index = request.graph.indexOf.get(node.node.id)!;
      const count = this.#producers(index).length;
      this.#planned[index] = node;
      this.#waiting[index] = count;
      if (count === 0) this.#ready.push(index);
    }
    this.#context = {
      request,
      artifacts: planned.artifacts,
      engines: planned.engines,
      poolOf: pools(request),
      halt: this.#halt.signal,
      cancelOf: cancelSignals(this.#cancel.signal, request.recall),
      started: new Map(),
      targets: new Set(request.targets),
      remake: (node) => this.#remake(node),
      wanted: new Set(),
      stored: new Set(),
      ...(rechecks ? {rechecks} : {}),
    };
  }

  async run(): Promise<ReadonlyMap<NodeId, NodeResult>> {
    const interrupt = (): void => {
      this.#halt.abort();
      this.#cancel.abort();
    };
    const {signal, recall} = this.#request;
    if (signal.aborted) interrupt();
    signal.addEventListener('abort', interrupt, {once: true});
    const recalled = (): void => this.#halt.abort();
    if (recall?.halt.aborted) recalled();
    recall?.halt.addEventListener('abort', recalled, {once: true});
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      this.#drain();
    });
    signal.removeEventListener('abort', interrupt);
    recall?.halt.removeEventListener('abort', recalled);
    return this.#results;
  }

  /** Starts what is ready. A loop, not a recursion: a chain of a hundred thousand up-to-date nodes must not fill the stack. */
  #drain(): void {
    while (this.#next < this.#ready.length) this.#start(this.#ready[this.#next++]!);
    if (this.#running === 0) this.#idle();
  }

  #start(index: number): void {
    const planned = this.#planned[index]!;
    const early = this.#earlyEnd(index, planned);
    if (early) {
      this.#settle(index, early);
      return;
    }
    void this.#step(index, planned);
  }

  async #step(index: number, planned: PlannedNode): Promise<void> {
    this.#running++;
    let result: NodeResult;
    try {
      result = await stepNode(planned, this.#context);
    } catch (problem) {
      result = {outcome: 'failed', failure: unexpected(problem, planned.node.id)};
    }
    this.#running--;
    this.#settle(index, result);
    this.#drain();
  }

  #remake(node: NodeId): Promise<NodeResult> {
    let result = this.#remaking.get(node);
    if (!result) this.#remaking.set(node, (result = this.#stepAgain(node)));
    return result;
  }

  /** It has been announced before as found; that it ran after all is announced as well. */
  async #stepAgain(node: NodeId): Promise<NodeResult> {
    const planned = this.#planned[this.#graph.indexOf.get(node)!]!;
    const [output = ''] = Object.keys(planned.node.outputs);
    let result: NodeResult;
    try {
      result = await stepNode(
        {...planned, status: 'will-run', reasons: [{kind: 'output-missing', output}]},
        this.#context,
      );
    } catch (problem) {
      result = {outcome: 'failed', failure: unexpected(problem, node)};
    }
    if (result.outputs) this.#remaking.delete(node);
    // What was found elsewhere after all is nothing new.
    if (result.outcome === 'up-to-date') return result;
    this.#results.set(node, result);
    this.#announce(node, result);
    return result;
  }

  /** The result of a node that takes no step: it stands as planned, something it needs failed, or the run is ending. */
  #earlyEnd(index: number, planned: PlannedNode): NodeResult | undefined {
    const producers = this.#producers(index);
    const culprit = this.#broken.size > 0 ? producers.find((producer) => this.#broken.has(producer)) : undefined;
    if (culprit !== undefined) return this.#withoutProducer(planned.node.id, this.#broken.get(culprit)!);
    if (planned.status === 'up-to-date' && producers.every((producer) => this.#untouched[producer] === 1)) {
      this.#untouched[index] = 1;
      const {outputs = {}, metrics = {}, fingerprint} = planned;
      return {outcome: 'up-to-date', outputs, metrics, ...(fingerprint === undefined ? {} : {fingerprint})};
    }
    if (this.#halt.signal.aborted && isStale(planned.status)) return {outcome: 'cancelled'};
    return undefined;
  }

  #withoutProducer(node: NodeId, culprit: NodeId): NodeResult {
    if (this.#results.get(culprit)?.outcome === 'cancelled') return {outcome: 'cancelled'};
    return {outcome: 'blocked', failure: failure('blocked', `${node} did not run because ${culprit} failed`, {node})};
  }

  #settle(index: number, result: NodeResult): void {
    const {node} = this.#planned[index]!;
    this.#results.set(node.id, result);
    if (result.outcome === 'failed' || result.outcome === 'cancelled') this.#broken.set(index, node.id);
    if (result.outcome === 'blocked') {
      const culprit = this.#producers(index).find((producer) => this.#broken.has(producer));
      this.#broken.set(index, this.#broken.get(culprit!)!);
    }
    if (result.outcome === 'failed' && !this.#isHeld(node.id, result)) this.#afterFailure();
    if (!this.#quiet || result.outcome !== 'up-to-date') this.#announce(node.id, result);
    for (const consumer of this.#graph.consumers[index] ?? []) {
      if (this.#planned[consumer] === undefined) continue;
      const left = this.#waiting[consumer]! - 1;
      this.#waiting[consumer] = left;
      if (left === 0) this.#ready.push(consumer);
    }
  }

  /** An old failure, told again, is no reason to stop. */
  #isHeld(node: NodeId, {failure}: NodeResult): boolean {
    return failure !== undefined && this.#request.held?.get(node) === failure;
  }

  #afterFailure(): void {
    const {onFailure} = this.#request;
    if (onFailure !== 'continue') this.#halt.abort();
    if (onFailure === 'kill') this.#cancel.abort();
  }

  #announce(node: NodeId, result: NodeResult): void {
    const at = this.#request.ports.clock.now();
    const started = this.#context.started.get(node);
    const engine = started ? this.#context.engines.engineOf(node) : undefined;
    this.#request.emit({
      type: 'node-finished',
      at,
      node,
      wallMs: at - (started?.at ?? at),
      ...(started ? {device: started.device} : {}),
      ...(engine === undefined ? {} : {engine}),
      ...result,
    });
  }

  #producers(index: number): readonly number[] {
    return this.#graph.producers[index] ?? [];
  }
}

function pools(request: BuildRequest): RunContext['poolOf'] {
  const local = request.pool ?? new DevicePool(request.machine, request.jobs);
  const cluster = new ClusterPool(request.cluster?.slots ?? 1);
  return (node) => (executorOf(node, request) === 'local' ? local : cluster);
}

/** One signal for each node: that of the whole run, joined with the recall of this node. */
function cancelSignals(all: AbortSignal, recall: Recall | undefined): (node: NodeId) => AbortSignal {
  if (!recall) return () => all;
  const signals = new Map<NodeId, AbortSignal>();
  return (node) => {
    let signal = signals.get(node);
    if (!signal) {
      signal = AbortSignal.any([all, recall.cancelOf(node)]);
      signals.set(node, signal);
    }
    return signal;
  };
}
