import {expect, test} from 'vitest';
import {parseQuery, usableDevices, visibleDevices, withInstances} from '../../../src/exec/nvidia-smi.ts';

// Form of the output of nvidia-smi 550 on a machine with four GPUs, and on one with MIG enabled.
const four = `GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77, 0, NVIDIA A100-SXM4-40GB, 40960
GPU-89e3b1f2-1111-2222-3333-444455556666, 1, NVIDIA A100-SXM4-40GB, 40960
GPU-89e3c0ff-1111-2222-3333-444455556666, 2, NVIDIA A100-SXM4-40GB, 40960
GPU-c7a1b2c3-1111-2222-3333-444455556666, 3, NVIDIA A100-SXM4-40GB, 40960
`;
const mig = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 3g.20gb     Device  0: (UUID: MIG-c7384736-a75d-5afc-978f-d2f1294409fd)
  MIG 1g.5gb      Device  1: (UUID: MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-89e3b1f2-1111-2222-3333-444455556666)
`;
// Drivers before 470 name instances by their GPU.
const oldMig = `GPU 0: A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 1c.3g.20gb Device 0: (UUID: MIG-GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77/1/0)
`;

const gpus = withInstances(parseQuery(four, 0), '');
const divided = withInstances(parseQuery(four, 0).slice(0, 2), mig);
const indices = (variable: string | undefined) => visibleDevices(gpus, variable).devices.map(({index}) => index);

test('a line of the query is a GPU', () => {
  expect(parseQuery(four, 0)).toHaveLength(4);
  expect(parseQuery(four, 0)[1]).toEqual({
    uuid: 'GPU-89e3b1f2-1111-2222-3333-444455556666',
    index: 1,
    name: 'NVIDIA A100-SXM4-40GB',
    memoryMiB: 40960,
  });
});

test('a GPU without memory of its own is given the shared memory', () => {
  expect(parseQuery('GPU-1, 0, NVIDIA GB10, [N/A]\n', 120_000)).toEqual([
    {uuid: 'GPU-1', index: 0, name: 'NVIDIA GB10', memoryMiB: 120_000},
  ]);
});

test.each([
  ['', ''],
  ['no devices', 'No devices were found\n'],
  ['no driver', "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the\n"],
  ['an old field', 'Field "memory.total" is not a valid field to query.\n'],
  ['a lost GPU', 'Unable to determine the device handle for GPU 0000:3B:00.0: GPU is lost.\n'],
])('text about %s is no GPU', (_, text) => {
  expect(parseQuery(text, 1)).toEqual([]);
});

test('instances take the place of the GPU they divide', () => {
  expect(usableDevices(divided)).toEqual([
    {
      uuid: 'MIG-c7384736-a75d-5afc-978f-d2f1294409fd',
      index: 0,
      name: 'NVIDIA A100-SXM4-40GB MIG 3g.20gb',
      memoryMiB: 20_480,
    },
    {
      uuid: 'MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d',
      index: 1,
      name: 'NVIDIA A100-SXM4-40GB MIG 1g.5gb',
      memoryMiB: 5120,
    },
    {...gpus[1], index: 2, instances: undefined},
  ]);
  const [old] = usableDevices(withInstances(parseQuery(four, 0).slice(0, 1), oldMig));
  expect(old).toMatchObject({uuid: 'MIG-GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77/1/0', memoryMiB: 20_480});
});

test.each([
  [undefined, [0, 1, 2, 3]],
  ['', []],
  ['-1', []],
  ['2,0', [2, 0]],
  [' 1 , 1,3', [1, 3]],
  ['0,-1,1', [0]],
  ['GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77,GPU-c7a1', [0, 3]],
])('CUDA_VISIBLE_DEVICES=%s', (variable, expected) => {
  expect(indices(variable)).toEqual(expected);
  expect(visibleDevices(gpus, variable).unknown).toBeUndefined();
});

test('devices after an unknown one are not visible, as CUDA has it', () => {
  expect(visibleDevices(gpus, '1,7,0')).toMatchObject({devices: [{index: 1}], unknown: '7'});
  expect(visibleDevices(gpus, 'NoDevFiles')).toEqual({devices: [], unknown: 'NoDevFiles'});
});

test('an instance is named by its id, a divided GPU stands for its first instance', () => {
  const uuids = (variable: string) => visibleDevices(divided, variable).devices.map(({uuid}) => uuid.slice(0, 8));
  expect(uuids('MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d')).toEqual(['MIG-a28a']);
  expect(uuids('0')).toEqual(['MIG-c738']);
  expect(uuids('1,MIG-a28a')).toEqual(['GPU-89e3', 'MIG-a28a']);
});
