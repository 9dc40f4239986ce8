import type {PlannedNode} from '../core/plan.ts';
import {countText} from './count-text.ts';

/**
 * The tensor engines that nodes compute with: `engine onnx-blas, 1 thread a node`, or with how many nodes each has when there
 * are several. Undefined when no node computes with one.
 */
export function engineLine(nodes: readonly Pick<PlannedNode, 'engine' | 'node'>[]): string | undefined {
  const users = new Map<string, number[]>();
  for (const {engine, node} of nodes) {
    if (engine === undefined) continue;
    const threads = Math.max(1, Math.floor(node.resources.cpu));
    users.set(engine, [...(users.get(engine) ?? []), threads]);
  }
  if (users.size === 0) return undefined;
  const parts = [...users].map(([engine, threads]) => {
    const count = users.size === 1 ? '' : ` for ${countText(threads.length, 'node')}`;
    return `${engine}${count}, ${threadsText(threads)} a node`;
  });
  return `${users.size === 1 ? 'engine' : 'engines'} ${parts.join('; ')}`;
}

function threadsText(threads: readonly number[]): string {
  const [least, most] = [Math.min(...threads), Math.max(...threads)];
  return least === most ? countText(most, 'thread') : `${least} to ${most} threads`;
}

/** `onnxruntime-node 1.27.0, ...`. */
export function versionsText(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

/** `49 GFLOP/s`, of 10^9 operations a second. */
export function speedText(gflops: number): string {
  return `${gflops < 10 ? gflops.toFixed(1) : gflops.toFixed(0)} GFLOP/s`;
}
