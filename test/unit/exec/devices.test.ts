import {chmodSync, mkdirSync} from 'node:fs';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {discoverMachine} from '../../../src/exec/devices.ts';
import {createBench, type Bench} from '../../support/exec/bench.ts';

let bench: Bench;
beforeAll(() => {
  bench = createBench();
});
afterAll(() => bench.remove());

/** PATH of a folder with an nvidia-smi of this text. */
function withProgram(script: string): string {
  const folder = `bin-${bench.stage('').id}`;
  mkdirSync(bench.path(folder));
  chmodSync(bench.write(`${folder}/nvidia-smi`, `#!/bin/sh\n${script}\n`), 0o755);
  return bench.path(folder);
}

const answering = `case $1 in
-L) echo 'GPU 0: A (UUID: GPU-a)'; echo 'GPU 1: B (UUID: GPU-b)' ;;
*) echo 'GPU-a, 0, A, 1000'; echo 'GPU-b, 1, B, 2000' ;;
esac`;

test('a machine without nvidia-smi has no GPU, and says so', async () => {
  const {machine, notes} = await discoverMachine({env: {PATH: bench.dir}});
  expect(machine.gpus).toEqual([]);
  expect(machine.cpu).toBeGreaterThanOrEqual(1);
  expect(machine.memoryMiB).toBeGreaterThan(100);
  expect(notes).toEqual(['no GPU: nvidia-smi is not on PATH']);
});

test('cores can be set', async () => {
  expect((await discoverMachine({env: {}, cpuOverride: 3})).machine.cpu).toBe(3);
});

test('GPUs are those that nvidia-smi lists and CUDA_VISIBLE_DEVICES names', async () => {
  const PATH = withProgram(answering);
  const both = await discoverMachine({env: {PATH}});
  expect(both).toMatchObject({machine: {gpus: [{uuid: 'GPU-a', memoryMiB: 1000}, {uuid: 'GPU-b'}]}, notes: []});
  const one = await discoverMachine({
    env: {PATH, CUDA_VISIBLE_DEVICES: '1,9', CUDA_DEVICE_ORDER: 'PCI_BUS_ID'},
  });
  expect(one.machine.gpus).toMatchObject([{uuid: 'GPU-b'}]);
  expect(one.notes).toEqual([
    'CUDA_VISIBLE_DEVICES names 9, which does not exist: that device and those after it are not used',
  ]);
});

test('numbers of unlike GPUs are doubtful unless their order is set; UUIDs and like GPUs are not', async () => {
  const PATH = withProgram(answering);
  const noted = async (env: Record<string, string>): Promise<boolean> => {
    const {notes} = await discoverMachine({env: {PATH, ...env}});
    return notes.some((note) => note.includes('CUDA_DEVICE_ORDER=PCI_BUS_ID'));
  };
  expect(await noted({CUDA_VISIBLE_DEVICES: '0'})).toBe(true);
  expect(await noted({CUDA_VISIBLE_DEVICES: '0', CUDA_DEVICE_ORDER: 'PCI_BUS_ID'})).toBe(false);
  expect(await noted({CUDA_VISIBLE_DEVICES: 'GPU-b'})).toBe(false);
  expect(await noted({})).toBe(false);
  const alike = withProgram(`case $1 in
-L) echo 'GPU 0: A (UUID: GPU-a)'; echo 'GPU 1: A (UUID: GPU-b)' ;;
*) echo 'GPU-a, 0, A, 1000'; echo 'GPU-b, 1, A, 1000' ;;
esac`);
  expect((await discoverMachine({env: {PATH: alike, CUDA_VISIBLE_DEVICES: '0'}})).notes).toEqual([]);
});

test('a device that a library would pick itself may not be this program’s', async () => {
  const masked = async (env: Record<string, string>): Promise<string | undefined> =>
    (await discoverMachine({env})).masked;
  expect(await masked({PATH: bench.dir})).toBeUndefined();
  expect(await masked({PATH: bench.dir, CUDA_VISIBLE_DEVICES: '-1'})).toContain('CUDA_VISIBLE_DEVICES');
  expect(await masked({PATH: withProgram(answering)})).toContain('several GPUs');
  const single = withProgram(`case $1 in
-L) echo 'GPU 0: A (UUID: GPU-a)' ;;
*) echo 'GPU-a, 0, A, 1000' ;;
esac`);
  expect(await masked({PATH: single})).toBeUndefined();
  expect(await masked({PATH: single, CUDA_VISIBLE_DEVICES: 'GPU-x'})).toContain('hides');
  const divided = withProgram(`case $1 in
-L) echo 'GPU 0: A (UUID: GPU-a)'; echo '  MIG 1g.10gb     Device  0: (UUID: MIG-1)' ;;
*) echo 'GPU-a, 0, A, 1000' ;;
esac`);
  expect(await masked({PATH: divided})).toContain('divided');
});

test.each(['', '-1', ' -1,0'])('CUDA_VISIBLE_DEVICES="%s" hides all GPUs without asking for them', async (value) => {
  const PATH = withProgram(`echo asked > ${bench.path('asked')}`);
  const {machine, notes} = await discoverMachine({env: {PATH, CUDA_VISIBLE_DEVICES: value}});
  expect(machine.gpus).toEqual([]);
  expect(notes).toEqual([`no GPU: CUDA_VISIBLE_DEVICES is set to "${value}"`]);
});

test('trouble with the driver is told in its own words', async () => {
  const PATH = withProgram(`echo "NVIDIA-SMI has failed because it couldn't communicate"; exit 9`);
  expect((await discoverMachine({env: {PATH}})).notes).toEqual([
    "no GPU: nvidia-smi failed: NVIDIA-SMI has failed because it couldn't communicate",
  ]);
  const silent = withProgram('echo No devices were found');
  expect((await discoverMachine({env: {PATH: silent}})).notes).toEqual([
    'no GPU: nvidia-smi lists none: No devices were found',
  ]);
});
