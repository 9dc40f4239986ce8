/**
 * Does what a build does with the store once, and dies at the given call that changes a file: `mortal <folder> <call>`. A
 * write is cut in half; any other call is not made. Prints the name of the fatal call.
 */
import fs from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
import {join} from 'node:path';
import {openStore} from '../../../../src/store/store.ts';
import {openWorkspaceState} from '../../../../src/store/workspace-state.ts';
import {aResult, anAction} from '../../../support/store-records.ts';

const [folder = '', call = '0'] = process.argv.slice(2);
const work = join(folder, 'work', call);
fs.mkdirSync(join(work, 'tree'), {recursive: true});
for (const name of ['file', 'tree/a', 'tree/b']) fs.writeFileSync(join(work, name), `${name} of ${call}`);

let left = Number(call);
const {writeSync} = fs;
const die = (name: string): void => {
  writeSync(1, `${name}\n`);
  process.kill(process.pid, 'SIGKILL');
};
for (const name of ['renameSync', 'linkSync', 'unlinkSync', 'chmodSync', 'utimesSync'] as const) {
  const real = fs[name] as (...args: unknown[]) => void;
  Object.assign(fs, {
    [name](...args: unknown[]): void {
      if (--left === 0) die(name);
      real(...args);
    },
  });
}
Object.assign(fs, {
  writeSync(fd: number, data: Uint8Array, at: number, length: number): number {
    if (--left > 0 || left < 0) return writeSync(fd, data, at, length);
    writeSync(fd, data, at, Math.floor(length / 2));
    die('writeSync');
    return 0;
  },
});
syncBuiltinESMExports();

const warn = (problem: {readonly message: string}): void => void process.stdout.write(`warn ${problem.message}\n`);
const opened = openStore({dir: join(folder, 'cache'), what: 'a mortal', warn});
if (!opened.ok) throw new Error('no store');
const {cas, actions, locks, close} = opened.value;
const state = openWorkspaceState({file: join(folder, 'runs/state.ndjson'), warn});
const lock = await locks.acquire(`node-${Number(call) % 2}`, new AbortController().signal, () => undefined);
const file = await cas.putFile(join(work, 'file'), 'move');
const tree = await cas.putTree(join(work, 'tree'));
const result = aResult({file: {kind: 'file', digest: file}, tree}, anAction({salt: call}));
await actions.put(result);
state.record({node: `node ${call}`, fingerprint: result.fingerprint, outputs: result.outputs, metrics: {}, wallMs: 1});
await state.flush();
lock.release();
close();
