import type {Event, NodeFinished} from '../core/events.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Outcome} from '../core/plan.ts';

/** A node that runs now. */
export interface RunningNode {
  readonly node: NodeId;
  readonly device: string;
  readonly attempt: number;
  /** Of a node whose jobs waited in a cluster's queue: when the first of them began to run. */
  readonly startedAt: number;
  /** All its jobs wait in a cluster's queue. */
  readonly queued: boolean;
  readonly expectedMs?: number;
  /** 0 ... 1, of slices done or as the stage said. */
  readonly fraction?: number;
  readonly message?: string;
  /** Of the slices that had to run: how many are done. */
  readonly slices?: {readonly done: number; readonly total: number};
  /** The last lines that it printed, at most `tailLines`. */
  readonly tail: readonly string[];
}

const tailLines = 10;

/** The state of one run, told by its events. Both terminals read it, so they cannot disagree. */
export class RunProgress {
  readonly running = new Map<NodeId, RunningNode>();
  readonly counts: Record<Outcome, number> = {
    'up-to-date': 0,
    cached: 0,
    executed: 0,
    failed: 0,
    blocked: 0,
    cancelled: 0,
  };
  /** Nodes that were planned to run, or may have to; with what is expected of each, in milliseconds. */
  readonly work = new Map<NodeId, number | undefined>();
  readonly done = new Set<NodeId>();
  /** Of `work`: those that are over. */
  private readonly over = new Set<NodeId>();
  startedAt: number | undefined;
  jobs = 1;
  interrupted = 0;

  /** How many of `work` are over: executed, failed, or found to need no run after all. */
  get workDone(): number {
    return this.over.size;
  }

  apply(event: Event): void {
    switch (event.type) {
      case 'run-started':
        this.startedAt = event.at;
        this.jobs = event.jobs;
        return;
      case 'run-planned':
        for (const {node, status, expectedMs} of event.nodes) {
          if (status === 'will-run' || status === 'may-run') this.work.set(node, expectedMs);
        }
        return;
      case 'node-started':
        if (!this.work.has(event.node)) this.work.set(event.node, event.expectedMs);
        this.running.set(event.node, {
          node: event.node,
          device: event.device,
          attempt: event.attempt,
          startedAt: event.at,
          queued: false,
          tail: [],
          ...(event.expectedMs === undefined ? {} : {expectedMs: event.expectedMs}),
          ...(event.slices === undefined ? {} : {slices: {done: 0, total: event.slices.stale}, fraction: 0}),
        });
        return;
      case 'node-queue':
        this.change(event.node, {queued: event.waits, startedAt: event.at});
        return;
      case 'node-progress':
        this.change(event.node, {
          fraction: Math.min(1, Math.max(0, Number.isNaN(event.fraction) ? 0 : event.fraction)),
          ...(event.message === undefined ? {} : {message: event.message}),
        });
        return;
      case 'slice-finished': {
        const {slices} = this.running.get(event.node) ?? {};
        if (slices === undefined) return;
        // The event counts slices that were there before the run as well.
        const done = Math.max(slices.done, slices.total - (event.total - event.done));
        this.change(event.node, {
          slices: {done, total: slices.total},
          fraction: slices.total === 0 ? 1 : Math.min(1, done / slices.total),
        });
        return;
      }
      case 'node-retry':
        this.change(event.node, {attempt: event.attempt + 1});
        return;
      case 'node-log': {
        const running = this.running.get(event.node);
        if (running === undefined) return;
        const lines = event.text.replace(/\n$/, '').split('\n');
        this.change(event.node, {tail: [...running.tail, ...lines].slice(-tailLines)});
        return;
      }
      case 'node-finished':
        this.finish(event);
        return;
      case 'interrupted':
        this.interrupted = event.times;
        return;
      case 'node-waiting':
      case 'warning':
      case 'run-finished':
        return;
    }
  }

  private change(node: NodeId, change: Partial<RunningNode>): void {
    const running = this.running.get(node);
    if (running !== undefined) this.running.set(node, {...running, ...change});
  }

  private finish({node, outcome, wallMs, at}: NodeFinished): void {
    const was = this.running.get(node);
    this.running.delete(node);
    if (this.done.has(node)) {
      // It ran after all, or once more: what it was said to have left in the remote cache was gone, or is not to be used.
      if (was) this.over.add(node);
      return;
    }
    this.done.add(node);
    this.counts[outcome]++;
    if (outcome === 'executed' || outcome === 'failed') this.work.set(node, was ? at - was.startedAt : wallMs);
    if (this.work.has(node)) this.over.add(node);
  }
}
