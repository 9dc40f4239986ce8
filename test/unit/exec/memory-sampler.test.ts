import {spawn} from 'node:child_process';
import {expect, test} from 'vitest';
import {residentBytes} from '../../../src/exec/memory-sampler.ts';

test('a program counts with its children', async () => {
  const script = `"$@" -e 'const held = Buffer.alloc(1e8, 1); console.log("ready"); setTimeout(() => held, 1e8)' & wait`;
  const child = spawn('sh', ['-c', script, 'sh', process.execPath], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const pid = child.pid ?? 0;
  await new Promise((resolve) => child.stdout.once('data', resolve));
  expect(residentBytes(pid)).toBeGreaterThan(1e8);
  process.kill(-pid, 'SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  expect(residentBytes(pid)).toBe(0);
});
