import {Heap} from '../core/heap.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {RunProgress, RunningNode} from './run-progress.ts';

/** A forecast of the time that a run still needs. */
export interface TimeLeft {
  readonly ms: number;
  /** Nodes without a recorded duration, counted as nothing: with any, `ms` is a lower bound. */
  readonly unknown: number;
}

/**
 * Forecast by list scheduling: running nodes end as expected, each freed slot takes the waiting node with the longest
 * chain of work behind it. A node without a duration takes the mean of its name's others.
 *
 * @param producersOf - the nodes that a node waits for
 */
export function timeLeft(
  progress: RunProgress,
  producersOf: (node: NodeId) => readonly NodeId[],
  now: number,
): TimeLeft {
  const typical = meanByName(progress);
  let unknown = 0;
  const lengths = new Map<NodeId, number>();
  for (const [node, expected] of progress.work) {
    if (progress.done.has(node)) continue;
    const running = progress.running.get(node);
    const length = running ? remainingMs(running, now) : (expected ?? typical.get(nameOf(node)));
    if (length === undefined) unknown++;
    lengths.set(node, length ?? 0);
  }
  return {ms: simulate(lengths, progress, producersOf), unknown};
}

function simulate(
  lengths: ReadonlyMap<NodeId, number>,
  progress: RunProgress,
  producersOf: (node: NodeId) => readonly NodeId[],
): number {
  const waitsFor = new Map<NodeId, number>();
  const consumers = new Map<NodeId, NodeId[]>();
  for (const node of lengths.keys()) {
    const producers = progress.running.has(node) ? [] : producersOf(node).filter((each) => lengths.has(each));
    waitsFor.set(node, producers.length);
    for (const producer of producers) {
      const list = consumers.get(producer);
      if (list) list.push(node);
      else consumers.set(producer, [node]);
    }
  }
  const chain = chainLengths(lengths, consumers, waitsFor);
  const ready = new Heap<NodeId>((a, b) => (chain.get(a) ?? 0) > (chain.get(b) ?? 0));
  const ends = new Heap<{node: NodeId; at: number}>((a, b) => a.at < b.at);
  let free = progress.jobs - progress.running.size;
  for (const [node, count] of waitsFor) {
    if (progress.running.has(node)) ends.push({node, at: lengths.get(node) ?? 0});
    else if (count === 0) ready.push(node);
  }
  let at = 0;
  for (;;) {
    for (let node = free > 0 ? ready.pop() : undefined; node !== undefined;) {
      ends.push({node, at: at + (lengths.get(node) ?? 0)});
      free--;
      node = free > 0 ? ready.pop() : undefined;
    }
    const next = ends.pop();
    if (next === undefined) return at;
    at = next.at;
    free++;
    for (const consumer of consumers.get(next.node) ?? []) {
      const left = (waitsFor.get(consumer) ?? 0) - 1;
      waitsFor.set(consumer, left);
      if (left === 0) ready.push(consumer);
    }
  }
}

/** Length of the longest path from each node to the end of the work, itself included. */
function chainLengths(
  lengths: ReadonlyMap<NodeId, number>,
  consumers: ReadonlyMap<NodeId, readonly NodeId[]>,
  waitsFor: ReadonlyMap<NodeId, number>,
): Map<NodeId, number> {
  const waiting = new Map(waitsFor);
  const order = [...waiting].filter(([, count]) => count === 0).map(([node]) => node);
  for (const node of order) {
    for (const consumer of consumers.get(node) ?? []) {
      const left = (waiting.get(consumer) ?? 0) - 1;
      waiting.set(consumer, left);
      if (left === 0) order.push(consumer);
    }
  }
  const chain = new Map<NodeId, number>();
  for (const node of order.reverse()) {
    const behind = (consumers.get(node) ?? []).reduce((most, each) => Math.max(most, chain.get(each) ?? 0), 0);
    chain.set(node, (lengths.get(node) ?? 0) + behind);
  }
  return chain;
}

/** By its own pace when it has told a good part of its progress, else by what is expected. */
function remainingMs(running: RunningNode, now: number): number | undefined {
  const elapsed = running.queued ? 0 : Math.max(0, now - running.startedAt);
  const {fraction = 0, expectedMs} = running;
  if (fraction >= 0.2 || (fraction > 0 && expectedMs === undefined)) return (elapsed * (1 - fraction)) / fraction;
  if (expectedMs === undefined) return undefined;
  return Math.max(expectedMs - elapsed, elapsed * 0.1);
}

function meanByName(progress: RunProgress): Map<string, number> {
  const sums = new Map<string, {sum: number; count: number}>();
  for (const [node, ms] of progress.work) {
    if (ms === undefined) continue;
    const entry = sums.get(nameOf(node)) ?? {sum: 0, count: 0};
    sums.set(nameOf(node), {sum: entry.sum + ms, count: entry.count + 1});
  }
  return new Map([...sums].map(([name, {sum, count}]) => [name, sum / count]));
}

function nameOf(node: NodeId): string {
  const bracket = node.indexOf('[');
  return bracket < 0 ? node : node.slice(0, bracket);
}
