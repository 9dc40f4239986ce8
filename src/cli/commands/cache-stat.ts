import type {Distrusted} from '../../core/origin.ts';
import {countText} from '../../report/count-text.ts';
import {foundOutText} from '../../report/origin-text.ts';
import {padEnd} from '../../report/text-width.ts';
import {wrap} from '../../report/wrap.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {policyLines, policyOf} from '../remote/policy.ts';
import {some, withRemote} from './cache.ts';

/**
 * Which results are at the remote cache, and what holds for it here. JSON: `{remote, from, …}` with the members of `Policy` and
 * `distrusted` and `nodes: [{node, there}]`; `there` is null when it cannot be known.
 */
export function cacheStatCommand(context: Context, patterns: readonly string[]): Promise<ExitCode> {
  return withRemote(context, patterns, 'needed', true, async ({nodes, work, client, choice, secrets}, signal) => {
    const found = await Promise.all(
      nodes.map(async ({node, fingerprint}) => ({
        node: node.id,
        there: fingerprint === undefined ? undefined : await client.has(fingerprint, signal),
      })),
    );
    const policy = policyOf(choice.settings, secrets);
    const distrusted = work.workspace.store.distrust.list() ?? null;
    if (context.globals.json) {
      const rows = found.map(({node, there}) => ({node, there: there ?? null}));
      context.printJson({remote: client.name, from: choice.from, ...policy, distrusted, nodes: rows});
      return exitCodes.done;
    }
    const there = found.filter((each) => each.there).length;
    const absent = found.filter((each) => each.there === false).map(({node}) => node);
    const unknown = found.filter((each) => each.there === undefined).map(({node}) => node);
    const [first = '', ...others] = choice.from;
    context.print(`${client.name}, ${policy.mode}`);
    context.print(
      aligned(
        [
          ['said by', first],
          ...others.map((name): [string, string] => ['', name]),
          ...policyLines(policy),
          ...distrustLines(distrusted, context.io.now()),
        ],
        context,
      ),
    );
    context.print(`${countText(there, 'result')} of ${countText(nodes.length, 'node')} there`);
    if (absent.length > 0) context.print(`not there: ${some(absent)}`);
    if (unknown.length > 0) context.print(`not known: ${some(unknown)}`);
    return exitCodes.done;
  });
}

/** Who was found to vouch for wrong results; null when that is not known, and nobody is trusted for it. */
function distrustLines(distrusted: readonly Distrusted[] | null, now: number): readonly [string, string][] {
  if (!distrusted) return [['not from', 'anybody: the list of those who are not trusted is damaged']];
  return distrusted.map((entry) => ['not from', foundOutText(entry, now)]);
}

function aligned(lines: readonly (readonly [string, string])[], {paint, io}: Context): string {
  const width = lines.reduce((most, [label]) => Math.max(most, label.length), 0);
  const columns = Math.min(io.stdout.size().columns, 110) - width - 4;
  return lines
    .flatMap(([label, text]) =>
      wrap(text, columns).map((line, index) => `  ${paint.dim(padEnd(index === 0 ? label : '', width))}  ${line}`),
    )
    .join('\n');
}
