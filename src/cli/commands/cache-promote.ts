import {failure} from '../../core/failure.ts';
import type {NodeId} from '../../core/pipeline.ts';
import {countText} from '../../report/count-text.ts';
import {readNamespace, trustedIn} from '../../remote/namespaces.ts';
import type {Promotion} from '../../remote/promoting.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {some, withRemote} from './cache.ts';

/**
 * Takes results for this checkout over from another namespace of the remote cache into ours, after every byte of them was read.
 * JSON: `{remote, from, to, promoted, there, differs, missing, incomplete, unsent}`, the last six lists of nodes.
 */
export async function cachePromoteCommand(
  context: Context,
  patterns: readonly string[],
  {from}: {readonly from: string},
): Promise<ExitCode> {
  const named = readNamespace(from);
  if (!named.ok) {
    const hint = named.hint === undefined ? {} : {hint: named.hint};
    return context.fail([failure('usage', `--from: ${named.message}`, hint)]);
  }
  return withRemote(
    context,
    patterns,
    'needed',
    true,
    async ({nodes, client, choice}, signal) => {
      const {namespace: to, mode} = choice.settings;
      if (from === to) return context.fail([failure('usage', `results are written to the namespace ${to} as it is`)]);
      if (mode === 'read-only') return context.fail([failure('usage', `${client.name} is only read here`)]);
      if (!client.mayWrite()) return exitCodes.nodeFailed;
      signal.addEventListener('abort', () => client.close(), {once: true});
      const outcomes = await Promise.all(
        nodes.map(async ({fingerprint}): Promise<Promotion> =>
          fingerprint === undefined ? 'missing' : client.promote(fingerprint, from),
        ),
      );
      const having = (outcome: Promotion): NodeId[] =>
        nodes.flatMap(({node}, index) => (outcomes[index] === outcome ? [node.id] : []));
      const promoted = having('promoted');
      const [there, differs, missing] = [having('there'), having('differs'), having('missing')];
      const [incomplete, unsent] = [having('incomplete'), having('unsent')];
      client.tellRefused();
      const where = {remote: client.name, from, to};
      if (context.globals.json) context.printJson({...where, promoted, there, differs, missing, incomplete, unsent});
      else {
        const results = `${countText(promoted.length, 'result')} of ${countText(nodes.length, 'node')}`;
        context.print(`${results} promoted from ${from} to ${to} at ${client.name}`);
        const note = (what: string, which: readonly NodeId[]): void => {
          if (which.length > 0) context.note(`${what}: ${some(which)}`);
        };
        if (promoted.length > 0 && !trustedIn(choice.settings.trust, from)) {
          context.note(
            `nothing in ${from} has to be signed: whoever can write there may have made what you answer for now`,
          );
        }
        note(`in ${to} before`, there);
        note(`in ${to} before with other bytes, which stay`, differs);
        note(`not in ${from}`, missing);
        note('not whole, or not what its slices make, so not promoted', incomplete);
        note('not written', unsent);
      }
      return differs.length + incomplete.length + unsent.length > 0 ? exitCodes.nodeFailed : exitCodes.done;
    },
    from,
  );
}
