import {failure} from '../../core/failure.ts';
import type {Distrusted} from '../../core/origin.ts';
import {distrustedText, vouchedText} from '../../report/origin-text.ts';
import {openStore} from '../../store/store.ts';
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
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const opened = openStore({dir: project.value.cacheDir, warn: warnOnce(context), what: 'cache trust'});
  if (!opened.ok) return context.fail(opened.error);
  const {distrust} = opened.value;
  try {
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
      context.print(chosen.map(({voucher, builder}) => `trusted again: ${vouchedText(voucher, builder)}`).join('\n'));
    } else {
      const nobody = entries ? 'nothing is known against anybody' : 'nobody is trusted while the list is damaged';
      context.print(known.map((entry) => distrustedText(entry, context.io.now())).join('\n') || nobody);
    }
    return exitCodes.done;
  } finally {
    opened.value.close();
  }
}

function isCalled({voucher, builder}: Distrusted, name: string): boolean {
  if (voucher === name || builder?.name === name) return true;
  const value = voucher.slice(voucher.indexOf(':') + 1);
  return value === name || (voucher.startsWith('key:') && name.length >= 8 && value.startsWith(name));
}
