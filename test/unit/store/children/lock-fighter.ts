/**
 * Takes locks one after the other: `lock-fighter <cache dir> <marker> <times> <keys> <die at>`. Inside a lock it makes the
 * key's marker file, with its pid; a marker of a living process means that two hold the lock. Dies by SIGKILL inside turn
 * `die at`.
 */
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {openStore} from '../../../../src/store/store.ts';

const [dir = '', markers = '', times = '0', keys = '1', dieAt = '-1'] = process.argv.slice(2);
const opened = openStore({
  dir,
  what: 'a fighter',
  warn: (problem) => process.stdout.write(`warn ${problem.message}\n`),
});
if (!opened.ok) throw new Error('no store');
const {locks} = opened.value;

for (let turn = 0; turn < Number(times); turn++) {
  const key = `prize-${turn % Number(keys)}`;
  const marker = `${markers}-${key}`;
  const lock = await locks.acquire(key, new AbortController().signal, () => undefined);
  const other = holder(marker);
  if (other !== undefined && other !== process.pid && lives(other)) process.stdout.write(`double ${other}\n`);
  writeFileSync(marker, String(process.pid));
  if (turn === Number(dieAt)) process.kill(process.pid, 'SIGKILL');
  await new Promise((resolve) => setImmediate(resolve));
  if (holder(marker) !== process.pid) process.stdout.write(`lost to ${holder(marker)}\n`);
  rmSync(marker);
  lock.release();
}
process.stdout.write('done\n');

function holder(marker: string): number | undefined {
  try {
    return Number(readFileSync(marker, 'utf8'));
  } catch {
    return undefined;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
