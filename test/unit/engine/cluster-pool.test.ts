import {expect, it} from 'vitest';
import {defaultResources} from '../../../src/core/resources.ts';
import {ClusterPool} from '../../../src/engine/cluster-pool.ts';

const never = new AbortController().signal;
const wanted = {...defaultResources, cpu: 64, memoryMiB: 4096, gpu: 0.5};

it('grants what is asked for, whatever this machine has, with whole devices', async () => {
  const pool = new ClusterPool(1);
  expect(await pool.acquire(wanted, 0, never)).toEqual({
    ok: true,
    value: {cpu: 64, memoryMiB: 4096, gpus: [], device: 'slurm', cluster: {executor: 'slurm', gpu: 1}},
  });
});

it('grants so many at a time, the most urgent of those that became ready together first', async () => {
  const pool = new ClusterPool(1);
  const order: number[] = [];
  await Promise.all(
    [1, 3, 2].map(async (priority) => {
      const lease = await pool.acquire(defaultResources, priority, never);
      order.push(priority);
      if (lease.ok) pool.release(lease.value);
    }),
  );
  expect(order).toEqual([3, 2, 1]);
});

it('turns down everybody who waits when the run ends, and all who come later', async () => {
  const halt = new AbortController();
  const pool = new ClusterPool(1);
  const first = await pool.acquire(defaultResources, 0, halt.signal);
  const second = pool.acquire(defaultResources, 0, halt.signal);
  halt.abort();
  expect(await second).toMatchObject({ok: false, error: {code: 'cancelled'}});
  expect(await pool.acquire(defaultResources, 0, halt.signal)).toMatchObject({ok: false, error: {code: 'cancelled'}});
  if (first.ok) pool.release(first.value);
  expect(() => first.ok && pool.release(first.value)).toThrow('released before');
});
