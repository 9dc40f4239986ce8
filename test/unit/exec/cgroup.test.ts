import {expect, test} from 'vitest';
import {readCgroupLimits} from '../../../src/exec/cgroup.ts';

function limits(files: Readonly<Record<string, string>>) {
  return readCgroupLimits((path) => files[path]);
}

test('no groups, no limits', () => {
  expect(limits({})).toEqual({});
  expect(limits({'/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n'})).toEqual({});
});

test('version 2: the smallest limit on the way to the root counts', () => {
  expect(
    limits({
      '/proc/self/cgroup': '0::/user.slice/job.scope\n',
      '/sys/fs/cgroup/user.slice/job.scope/cpu.max': '400000 100000\n',
      '/sys/fs/cgroup/user.slice/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/user.slice/memory.max': 'max\n',
      '/sys/fs/cgroup/user.slice/job.scope/memory.max': '1073741824\n',
    }),
  ).toEqual({cpu: 1.5, memoryBytes: 1_073_741_824});
});

test('version 2 in a container whose path is that of the host', () => {
  expect(limits({'/proc/self/cgroup': '0::/../../host/path\n', '/sys/fs/cgroup/cpu.max': '200000 100000\n'})).toEqual({
    cpu: 2,
  });
});

test('version 1: quota over period, and a huge number for no memory limit', () => {
  const groups = '12:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n0::/\n';
  expect(
    limits({
      '/proc/self/cgroup': groups,
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '250000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    }),
  ).toEqual({cpu: 2.5});
  expect(
    limits({
      '/proc/self/cgroup': groups,
      '/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes': '536870912\n',
    }),
  ).toEqual({memoryBytes: 536_870_912});
});
