import {ok, type Result} from '../../core/result.ts';
import {noteAcceptedLeaks} from '../accepted-leaks.ts';
import {openRunReports, type RunReports} from '../ci/run-reports.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject, type Loaded} from '../load.ts';
import {frozenTrouble, keepRunLock, openRunLock, type LockOptions} from '../pins/run-lock.ts';
import {executeRun} from '../running/execute-run.ts';
import {planRun, type RunSettings} from '../running/planned-run.ts';
import {listenForInterrupts} from '../signals.ts';

interface RunOptions extends RunSettings, LockOptions {
  readonly dryRun?: true;
  /** Only targets that differ from what they were at this revision. */
  readonly since?: string;
  /** File to write a JUnit report to. */
  readonly junit?: string;
}

/** Plans and executes. A run that has nothing to do and whose results are in place leaves no record. */
export async function runCommand(given: Context, patterns: readonly string[], options: RunOptions): Promise<ExitCode> {
  const reports = openRunReports(given, options);
  if (!reports.ok) return given.fail(reports.error);
  return reports.value.end(await planAndRun(reports.value, patterns, options));
}

async function planAndRun(
  {context, emit, tell, know}: RunReports,
  patterns: readonly string[],
  options: RunOptions,
): Promise<ExitCode> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return context.fail(loaded.error);
  know(loaded.value);
  const wanted = await wantedTargets(context, loaded.value, patterns, options);
  if (!wanted.ok) return context.fail(wanted.error);
  if (wanted.value === undefined) return exitCodes.done;
  if (options.dryRun) return (await import('./plan.ts')).planCommand(context, wanted.value, options);
  const lock = openRunLock(context, loaded.value, options);
  if (!lock.ok) return context.fail(lock.error);
  const run = await planRun(context, loaded.value, wanted.value, options);
  if (!run.ok) return context.fail(run.error);
  const {work} = run.value;
  try {
    const refused = await frozenTrouble(context, loaded.value, work, lock.value);
    if (refused !== undefined) return refused;
    noteAcceptedLeaks(
      context,
      loaded.value.acceptedLeaks,
      work.plan.nodes.map(({node}) => node),
    );
    const end = await executeRun(context, run.value, options, {listen: listenForInterrupts, onEvent: emit});
    tell(run.value, end, lock.value);
    const kept = await keepRunLock(context, loaded.value, work, end.summary, lock.value);
    return end.code === exitCodes.done ? kept : end.code;
  } finally {
    work.workspace.close();
  }
}

/** The patterns; with --since, the targets that it leaves, or undefined when that is none. */
async function wantedTargets(
  context: Context,
  loaded: Loaded,
  patterns: readonly string[],
  {since}: RunOptions,
): Promise<Result<readonly string[] | undefined>> {
  if (since === undefined) return ok(patterns);
  return (await import('./affected.ts')).affectedTargets(context, loaded, patterns, since);
}
