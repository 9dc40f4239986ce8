import {failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {bytesText} from '../../report/bytes.ts';
import {countText} from '../../report/count-text.ts';
import {applyGc, planGc, type GcPlan} from '../../store/gc.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {findProject} from '../project.ts';
import {warnOnce} from '../warnings.ts';
import {openWorkspace} from '../workspace.ts';

interface GcOptions {
  readonly olderThan?: string;
  readonly maxSize?: string;
  readonly yes?: true;
}

/** Says what could be removed from the cache and, with --yes, removes it. JSON: `{removed, results, blobs, leftovers, freedBytes, keptBytes, inUseBy}`. */
export async function gcCommand(context: Context, options: GcOptions): Promise<ExitCode> {
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const age = readUnit(options.olderThan, '--older-than', ageUnits, '30d, 12h or 90m');
  const size = readUnit(options.maxSize, '--max-size', sizeUnits, '20GiB or 500MiB');
  if (!age.ok) return context.fail(age.error);
  if (!size.ok) return context.fail(size.error);
  const opened = openWorkspace(project.value, 'gc', warnOnce(context));
  if (!opened.ok) return context.fail(opened.error);
  const {store} = opened.value;
  const plan = planGc(store, {
    runsDirs: [project.value.runsDir],
    nowMs: context.io.now(),
    ...(age.value === undefined ? {} : {olderThanMs: age.value}),
    ...(size.value === undefined ? {} : {maxBytes: size.value}),
  });
  const done = options.yes ? applyGc(store, plan) : undefined;
  store.close();
  if (context.globals.json) {
    context.printJson({
      removed: done !== undefined,
      results: done?.records ?? plan.records.length,
      blobs: done?.blobs ?? plan.blobs.length,
      leftovers: plan.leftovers.length,
      freedBytes: done?.freedBytes ?? plan.freedBytes,
      keptBytes: plan.keptBytes,
      inUseBy: plan.inUseBy,
    });
    return Promise.resolve(exitCodes.done);
  }
  if (done)
    context.print(
      `removed ${amounts(done.records, done.blobs, plan.leftovers.length)}: ${bytesText(done.freedBytes)} freed`,
    );
  else context.print(planned(plan));
  if (size.value !== undefined && plan.keptBytes > size.value) {
    context.note('what is kept belongs to last results or recorded runs (forget runs: mixdown clean --runs --keep N)');
  }
  if (plan.inUseBy.length > 0) {
    context.note(`in use by ${plan.inUseBy.join(', ')}: what was used since it started is left alone`);
  }
  return exitCodes.done;
}

function planned(plan: GcPlan): string {
  const kept = `kept: ${countText(plan.keptRecords, 'result')}, ${bytesText(plan.keptBytes)}`;
  if (plan.records.length + plan.blobs.length + plan.leftovers.length === 0) return `nothing to remove\n${kept}`;
  const what = amounts(plan.records.length, plan.blobs.length, plan.leftovers.length);
  return `would remove ${what}: ${bytesText(plan.freedBytes)}\n${kept}\nrun it again with --yes to remove`;
}

function amounts(records: number, blobs: number, leftovers: number): string {
  return `${countText(records, 'result')}, ${countText(blobs, 'blob')}, ${countText(leftovers, 'left-over')}`;
}

const ageUnits: Readonly<Record<string, number>> = {m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000};
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

function readUnit(
  text: string | undefined,
  option: string,
  units: Readonly<Record<string, number>>,
  example: string,
): Result<number | undefined> {
  if (text === undefined) return ok(undefined);
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim()) ?? [];
  const factor = Object.entries(units).find(([name]) => name.toLowerCase() === unit.toLowerCase())?.[1];
  if (amount !== undefined && factor !== undefined) return ok(Number(amount) * factor);
  return err([failure('usage', `${option} ${text} is not understood`, {hint: `write it like ${example}`})]);
}
