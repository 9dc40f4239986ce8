import {spawn} from 'node:child_process';
import {expect, test} from 'vitest';
import {
  environmentOf,
  groupMembers,
  identify,
  isAlive,
  parseStat,
  signalGroup,
} from '../../../src/exec/process-tree.ts';

test('a command name with spaces and parentheses does not move the fields', () => {
  const line = '42 (a ) (b) S 1 7 7 0 -1 4194560 1 2 3 4 11 12 13 14 20 0 1 0 98765 1000 5 0';
  expect(parseStat(line)).toEqual({state: 'S', group: 7, start: '98765', childTicks: 27});
  expect(parseStat('')).toBeUndefined();
});

test('a process is known by its id and start time, a group by its members', async () => {
  const child = spawn('sh', ['-c', 'echo ready; read -r _'], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {MARK: 'x', PATH: process.env['PATH']},
  });
  const pid = child.pid ?? 0;
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const identity = identify(pid);
  expect(isAlive(identity)).toBe(true);
  expect(isAlive({...identity, processStart: '1'})).toBe(false);
  expect(groupMembers(pid)).toEqual([pid]);
  expect(environmentOf(pid)).toContain('MARK=x');
  expect(signalGroup(pid, 'SIGKILL')).toBe(true);
  await new Promise((resolve) => child.once('exit', resolve));
  expect(isAlive(identity)).toBe(false);
  expect(signalGroup(pid, 'SIGKILL')).toBe(false);
});
