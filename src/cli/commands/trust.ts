import {failure} from '../../core/failure.ts';
import {isSha256} from '../../core/digest.ts';
import type {Distrusted, Voucher} from '../../core/origin.ts';
import {publicKeyProblem} from '../../core/public-key.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {keyIdOf} from '../../remote/key-pair.ts';
import {distrustedText, vouchedText} from '../../report/origin-text.ts';
import {openStore, type Store} from '../../store/store.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {findProject} from '../project.ts';
import {warnOnce} from '../warnings.ts';

/** Lifts the quarantine of those who vouched for a wrong result. Without names it says who is in it. JSON: `{trusted: [voucher]}`. */
export async function cacheTrustCommand(
  context: Context,
  names: readonly string[],
  {all}: {readonly all?: true},
): Promise<ExitCode> {
  return withStore(context, 'cache trust', async ({distrust}) => {
    const entries = distrust.list();
    const known = entries ?? [];
    const chosen = all ? known : known.filter((entry) => names.some((name) => isCalled(entry, name)));
    const stranger = names.find((name) => !known.some((entry) => isCalled(entry, name)));
    if (stranger !== undefined && !all) {
      const hint = entries ? 'see `mixdown cache trust` for those who are' : 'lift it for all with --all';
      return context.fail([failure('usage', `nothing is known against ${stranger}`, {hint})]);
    }
    if (all || names.length > 0) await distrust.lift(all ? 'all' : new Set(chosen.map(({voucher}) => voucher)));
    if (context.globals.json) context.printJson({trusted: chosen.map(({voucher}) => voucher)});
    else if (all || names.length > 0) {
      const nobody = entries
        ? 'nothing was known against anybody'
        : 'everybody is trusted again; the damaged list is gone';
      context.print(
        chosen.map(({voucher, builder}) => `trusted again: ${vouchedText(voucher, builder)}`).join('\n') || nobody,
      );
    } else {
      const nobody = entries ? 'nothing is known against anybody' : 'nobody is trusted while the list is damaged';
      context.print(known.map((entry) => distrustedText(entry, context.io.now())).join('\n') || nobody);
    }
    return exitCodes.done;
  });
}

/** Puts somebody into quarantine by hand. JSON: `{distrusted: [voucher]}`. */
export async function cacheDistrustCommand(
  context: Context,
  names: readonly string[],
  {reason}: {readonly reason: string},
): Promise<ExitCode> {
  const vouchers: Voucher[] = [];
  for (const name of names) {
    const voucher = voucherOf(name);
    if (!voucher.ok) return context.fail(voucher.error);
    vouchers.push(voucher.value);
  }
  return withStore(context, 'cache distrust', async ({distrust}) => {
    const since = context.io.now();
    for (const voucher of vouchers) await distrust.add({voucher, since, why: reason});
    if (context.globals.json) context.printJson({distrusted: vouchers});
    else context.print(vouchers.map((voucher) => `not trusted: ${vouchedText(voucher)}`).join('\n'));
    return exitCodes.done;
  });
}

async function withStore(context: Context, what: string, work: (store: Store) => Promise<ExitCode>): Promise<ExitCode> {
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const opened = openStore({dir: project.value.cacheDir, warn: warnOnce(context), what});
  if (!opened.ok) return context.fail(opened.error);
  try {
    return await work(opened.value);
  } finally {
    opened.value.close();
  }
}

/** A builder's name alone would not do: anybody may call himself so. */
function voucherOf(name: string): Result<Voucher> {
  if (name.startsWith('namespace:') && name !== 'namespace:') return ok(name as Voucher);
  if (name.startsWith('key:') && isSha256(name.slice('key:'.length))) return ok(name as Voucher);
  if (publicKeyProblem(name) === undefined) return ok<Voucher>(`key:${keyIdOf(name)}`);
  const hint = 'a public key as it stands under `trust`, `key:` and its hash, or `namespace:` and a name';
  return err([failure('usage', 'it is not understood who that is', {hint})]);
}

function isCalled({voucher, builder}: Distrusted, name: string): boolean {
  if (voucher === name || builder?.name === name) return true;
  const value = voucher.slice(voucher.indexOf(':') + 1);
  return value === name || (voucher.startsWith('key:') && name.length >= 8 && value.startsWith(name));
}
