/** Records results of its own nodes, one flush each: `state-appender <state file> <name> <times>`. Rewrites the journal often. */
import {digestOf, sha256} from '../../../../src/core/digest.ts';
import {openWorkspaceState} from '../../../../src/store/workspace-state.ts';

const [file = '', name = '', times = '0'] = process.argv.slice(2);
const state = openWorkspaceState({file, warn: (problem) => process.stdout.write(`warn ${problem.message}\n`)});
for (let turn = 0; turn < Number(times); turn++) {
  const outputs = {out: {kind: 'file' as const, digest: digestOf(`${name} ${turn}`)}};
  state.record({node: `${name}[${turn % 10}]`, fingerprint: sha256(`${turn}`), outputs, metrics: {}, wallMs: turn});
  await state.flush();
}
process.stdout.write('done\n');
