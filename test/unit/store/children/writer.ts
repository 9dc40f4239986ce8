/**
 * Writes blobs and records without end: `writer <cache dir> <seed>`. Prints a line for each step; the test kills it after
 * some of them. Blobs land before the record that refers to them, as in a build.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {sha256} from '../../../../src/core/digest.ts';
import {openStore} from '../../../../src/store/store.ts';
import {openWorkspaceState} from '../../../../src/store/workspace-state.ts';
import {aResult, anAction} from '../../../support/store-records.ts';

const [dir = '', seedText = '0'] = process.argv.slice(2);
const opened = openStore({dir, what: 'a writer', warn: (problem) => say(`warn ${problem.message}`)});
if (!opened.ok) throw new Error('no store');
const {cas, actions, locks} = opened.value;
const state = openWorkspaceState({
  file: join(dir, 'runs/state.ndjson'),
  warn: (problem) => say(`warn ${problem.message}`),
});
const work = join(dir, 'work', String(process.pid));
mkdirSync(work, {recursive: true});

for (let step = Number(seedText) * 1_000_000; ; step++) {
  const lock = await locks.acquire(`step-${step % 3}`, new AbortController().signal, () => undefined);
  writeFileSync(join(work, 'file'), Buffer.alloc(step % 7 === 0 ? 400_000 : 100, String(step)));
  const file = await cas.putFile(join(work, 'file'), step % 2 === 0 ? 'move' : 'copy');
  say('file');
  mkdirSync(join(work, 'tree'), {recursive: true});
  for (const name of ['a', 'b']) writeFileSync(join(work, 'tree', name), `${name} ${step}`);
  const tree = await cas.putTree(join(work, 'tree'));
  say('tree');
  const result = aResult({file: {kind: 'file', digest: file}, tree}, anAction({seed: step, code: sha256('code')}));
  await actions.put(result);
  say('record');
  state.record({
    node: `node[${step % 5}]`,
    fingerprint: result.fingerprint,
    outputs: result.outputs,
    metrics: {},
    wallMs: step,
  });
  await state.flush();
  say('state');
  lock.release();
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
