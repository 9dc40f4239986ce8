import {failure, type Failure} from '../core/failure.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {Lock} from '../core/ports.ts';
import type {Lease} from '../core/resources.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {RunContext} from './run-context.ts';

/** The right to make one thing, over all runs that share the store. */
export async function claim(
  node: PipelineNode,
  key: string,
  context: RunContext,
  onWait?: () => void,
): Promise<Result<Lock, Failure>> {
  const {ports, emit, runId} = context.request;
  try {
    const lock = await ports.locks.acquire(key, context.halt, (holder) => {
      onWait?.();
      // Two nodes of one run that come to the same action: nothing that a reader would have to know.
      if (!holder.includes(runId)) emit({type: 'node-waiting', at: ports.clock.now(), node: node.id, holder});
    });
    return ok(lock);
  } catch (problem) {
    if (context.halt.aborted) return err(failure('cancelled', `${node.id} was not started`, {node: node.id}));
    throw problem;
  }
}

/** A node's resources while it holds the lock on what it makes. */
export interface Turn {
  /** Asked for when there really is something to execute. */
  readonly lease: () => Promise<Result<Lease, Failure>>;
  /** Lets the next job start: what is left to do needs only this process. */
  readonly giveBack: () => void;
}

/**
 * Resources first, then the lock: thousands of ready nodes must not hold locks that another run waits for. While waiting
 * for another run the resources are given back, so `work` may be called without a lease: it asks `lease()` when it
 * really has to execute.
 */
export async function withClaim<T>(
  node: PipelineNode,
  key: string,
  priority: number,
  context: RunContext,
  work: (turn: Turn) => Promise<Result<T, Failure>>,
): Promise<Result<T, Failure>> {
  const resources = context.engines.resourcesOf(node);
  const pool = context.poolOf(node);
  const acquired = await pool.acquire(resources, priority, context.halt);
  if (!acquired.ok) return err({...acquired.error, node: node.id});
  let held: Lease | undefined = acquired.value;
  const giveBack = (): void => {
    if (held) pool.release(held);
    held = undefined;
  };
  const lease = async (): Promise<Result<Lease, Failure>> => {
    if (held) return ok(held);
    const again = await pool.acquire(resources, priority, context.halt);
    if (again.ok) held = again.value;
    return again;
  };
  try {
    const lock = await claim(node, key, context, giveBack);
    if (!lock.ok) return lock;
    try {
      return await work({lease, giveBack});
    } finally {
      lock.value.release();
    }
  } finally {
    giveBack();
  }
}
