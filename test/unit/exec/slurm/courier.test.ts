import {afterEach, beforeEach, expect, it} from 'vitest';
import {sharedDisk} from '../../../../src/exec/slurm/courier.ts';
import {createBench, type Bench} from '../../../support/exec/bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.remove());

it('over a shared disk Slurm starts in the submission and writes into it, one file a task', async () => {
  const folder = bench.path('50%/r-1');
  const [a, b] = [bench.command(['a']), bench.command(['b'])];
  const {signal} = new AbortController();
  const courier = sharedDisk({env: {}, node: '/sw/node'});
  const one = await courier.dispatch(folder, [[a]], signal);
  const shown = folder.replace('%', '%%');
  expect(one).toMatchObject({ok: true, value: {startIn: folder, output: `${shown}/0.out`}});
  const two = await courier.dispatch(folder, [[a], [b]], signal);
  expect(two).toMatchObject({ok: true, value: {output: `${shown}/%a.out`}});
  expect(two.ok && two.value.script).toContain('node=/sw/node\n');
});
