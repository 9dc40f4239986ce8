import {join} from 'node:path';
import type {Emit, Event, RunFinished, SliceCounts} from '../../core/events.ts';
import type {ExecutorName} from '../../core/executor.ts';
import type {Failure} from '../../core/failure.ts';
import type {Plan} from '../../core/plan.ts';
import type {ExchangeAddress, TensorEngines} from '../../core/ports.ts';
import {err, ok, type Result} from '../../core/result.ts';
import type {EngineName} from '../../core/tensor-engine.ts';
import {isStale} from '../../engine/plan.ts';
import type {BuildSummary, FailureMode} from '../../engine/run-context.ts';
import {engineLine} from '../../report/engine-text.ts';
import type {Reporter} from '../../report/reporter.ts';
import {runRecorder, type RunFacts} from '../../report/run-record.ts';
import {summaryText} from '../../report/summary.ts';
import {newRunId, type RunStore} from '../../store/run-store.ts';
import {noteAcceptedLeaks} from '../accepted-leaks.ts';
import {clusterAddress} from '../cluster/transport.ts';
import {cancelAbandonedJobs} from '../abandoned-jobs.ts';
import type {Context} from '../context.ts';
import {executePlanned, type ExecutionOptions} from '../execution.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject, selectNodes, type Loaded} from '../load.ts';
import {packageVersion} from '../package.ts';
import {frozenTrouble, keepRunLock, openRunLock, type LockOptions} from '../pins/run-lock.ts';
import {obstaclesOf, planNodes, type PlannedWork} from '../planning.ts';
import {displayPath} from '../project.ts';
import {finishUploads} from '../remote/open.ts';
import {displays, linkResults, resultsInPlace} from '../results.ts';
import {openRunReports, type RunReports} from '../ci/run-reports.ts';
import {listenForInterrupts, type Interrupts} from '../signals.ts';
import {terminalReporter} from '../terminal.ts';
import {collectWarnings, type Warnings} from '../warnings.ts';
import {hostName, machineFacts} from '../workspace.ts';

export interface RunOptions extends LockOptions {
  readonly jobs?: number;
  readonly executor?: ExecutorName;
  readonly onFailure: FailureMode;
  readonly keepGoing?: true;
  readonly force?: true;
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

/** A run that is about to begin. Whoever has it closes its workspace. */
export interface PlannedRun {
  readonly loaded: Loaded;
  readonly work: PlannedWork;
  readonly warnings: Warnings;
  readonly runId: string;
  /** Where jobs of a cluster get their files, unless they see this disk. */
  readonly clusterAddress?: ExchangeAddress;
}

/** Plans what the patterns name. Fails when the plan cannot be carried out; warnings are told then. */
export async function planRun(
  context: Context,
  loaded: Loaded,
  patterns: readonly string[],
  options: Pick<RunOptions, 'jobs' | 'executor' | 'force'>,
): Promise<Result<PlannedRun>> {
  const targets = selectNodes(loaded, patterns, 'default');
  if (!targets.ok) return targets;
  const runId = newRunId(context.io.now());
  const warnings = collectWarnings(context);
  const work = await planNodes(warnings, loaded, targets.value, {...options, remoteOf: context.io}, `run ${runId}`);
  if (!work.ok) {
    warnings.flush();
    return work;
  }
  const obstacles = obstaclesOf(work.value.plan);
  const address = await clusterAddress(loaded, work.value, context.io, options.executor);
  if (obstacles.length === 0 && address.ok) {
    const cluster = address.value ? {clusterAddress: address.value} : {};
    return ok({loaded, work: work.value, warnings, runId, ...cluster});
  }
  work.value.workspace.close();
  warnings.flush();
  return err([...obstacles, ...(address.ok ? [] : address.error)]);
}

/** How a run is led from outside. One that is recalled says no more: its record goes on, the terminal is another's. */
export interface RunControl extends Pick<ExecutionOptions, 'recall' | 'held' | 'poolFor'> {
  readonly listen: (onSignal: (times: number) => void) => Interrupts;
  /** Told each event after the reporters. */
  readonly onEvent?: Emit;
}

export interface RunEnd {
  readonly code: ExitCode;
  readonly summary: BuildSummary;
}

/** What the end of a run is told from. */
interface Outcome {
  readonly failures: readonly {readonly node: string; readonly failure: Failure}[];
  readonly sliced: readonly {readonly node: string; readonly slices: SliceCounts}[];
  readonly finished: RunFinished | undefined;
  /** The targets' results lie under `out/`. */
  readonly inPlace: boolean;
}

/** Carries a planned run out, tells of it and records it. */
export async function executeRun(
  context: Context,
  {loaded, work, warnings, runId, clusterAddress: address}: PlannedRun,
  options: RunOptions,
  {listen, onEvent, recall, held, poolFor}: RunControl,
): Promise<RunEnd> {
  const {workspace, plan} = work;
  const idle = plan.nodes.every(({status}) => status === 'up-to-date');
  const recorded = !(idle && (await resultsInPlace(loaded, plan, workspace)));
  if (!recorded) workspace.runs.restoreLatest();
  const failures: {node: string; failure: Failure}[] = [];
  const sliced: {node: string; slices: SliceCounts}[] = [];
  let finished: RunFinished | undefined;
  let detach = (): void => {};
  const collect = (event: Event): void => {
    if (event.type === 'run-finished') finished = event;
    if (event.type === 'node-finished' && event.outcome === 'failed' && event.failure) {
      failures.push({node: event.node, failure: event.failure});
    }
    if (event.type === 'node-finished' && event.slices) sliced.push({node: event.node, slices: event.slices});
  };
  const terminal = untilRecalled(terminalReporter(context, loaded.graph), recall?.halt);
  const reporters: readonly Reporter[] = recorded
    ? [recorderFor(context, loaded, workspace.runs, await usedEngines(plan, loaded.engines), warnings), terminal]
    : [terminal];
  const emit = (event: Event): void => {
    // Before it: it is a run's last event.
    if (event.type === 'run-finished') workspace.remote?.tellRefused();
    collect(event);
    for (const reporter of reporters) reporter.emit(event);
    onEvent?.(event);
    // Not before it: a run's first event is its start.
    if (event.type === 'run-started') detach = warnings.attach(emit);
  };
  const interrupts = listen((times) => emit({type: 'interrupted', at: context.io.now(), times}));
  let summary: BuildSummary;
  try {
    summary = await executePlanned(loaded, work, {
      runId,
      onFailure: options.keepGoing ? 'continue' : options.onFailure,
      force: new Set(options.force ? plan.targets : []),
      ...(options.jobs === undefined ? {} : {jobs: options.jobs}),
      ...(options.executor === undefined ? {} : {executor: options.executor}),
      ...(address ? {clusterAddress: address} : {}),
      env: context.io.env,
      now: context.io.now,
      emit,
      warn: warnings.warn,
      signal: interrupts.stop,
      killSignal: interrupts.kill,
      ...(recall ? {recall} : {}),
      ...(held ? {held} : {}),
      ...(poolFor ? {poolFor} : {}),
    });
  } finally {
    detach();
    for (const reporter of reporters) reporter.close();
    interrupts.dispose();
  }
  if (summary.outcome !== 'interrupted') await cancelAbandonedJobs(context, workspace.store);
  const sending = listen(() => {});
  await finishUploads(context, workspace.remote, sending.stop);
  sending.dispose();
  let inPlace = true;
  if (recorded) {
    const linked = await linkResults(loaded, summary, workspace, runId);
    if (!linked.ok) linked.error.forEach(warnings.warn);
    inPlace = linked.ok;
  }
  if (recall?.halt.aborted !== true) {
    await summarise(context, loaded, work, summary, recorded ? runId : undefined, {
      failures,
      sliced,
      finished,
      inPlace,
    });
  }
  return {code: exitCodeOf(summary, failures), summary};
}

function untilRecalled({emit, close}: Reporter, recalled?: AbortSignal): Reporter {
  recalled?.addEventListener('abort', close, {once: true});
  return {
    emit(event) {
      if (recalled?.aborted !== true) emit(event);
    },
    close,
  };
}

async function summarise(
  {io, globals, paint, print}: Context,
  loaded: Loaded,
  {workspace}: PlannedWork,
  summary: BuildSummary,
  runId: string | undefined,
  {failures, sliced, finished, inPlace}: Outcome,
): Promise<void> {
  if (globals.json || finished === undefined || (globals.quiet && summary.outcome === 'done')) return;
  const {runsDir} = loaded.project;
  const ran = summary.plan.nodes.filter(({node}) => summary.nodes.get(node.id)?.outcome === 'executed');
  const engines = engineLine(ran);
  const parts = {
    finished,
    sliced,
    displays: runId === undefined || globals.quiet ? [] : await displays(loaded, summary, workspace.store.cas),
    failures: failures.map(({node, failure}) => ({node, failure: shortenFailure(failure, io.cwd)})),
    ...(engines === undefined ? {} : {engines}),
    ...(inPlace ? {results: displayPath(join(runsDir, 'latest', 'out'), io.cwd)} : {}),
    ...(runId === undefined ? {} : {record: displayPath(join(runsDir, runId), io.cwd)}),
  };
  // Apart from the lines of the run, when there were any.
  if (!globals.quiet && runId !== undefined) print('\n');
  print(summaryText(parts, paint));
}

function shortenFailure(failure: Failure, cwd: string): Failure {
  return failure.reproduce === undefined ? failure : {...failure, reproduce: displayPath(failure.reproduce, cwd)};
}

function exitCodeOf(summary: BuildSummary, failures: Outcome['failures']): ExitCode {
  if (summary.outcome === 'done') return exitCodes.done;
  if (summary.outcome === 'interrupted') return exitCodes.interrupted;
  return failures.some(({failure}) => failure.code === 'internal-error') ? exitCodes.internal : exitCodes.nodeFailed;
}

/** The engines of the nodes that are to run, with what is known of them. */
async function usedEngines({nodes}: Plan, engines: TensorEngines): Promise<RunFacts['engines']> {
  const used: {-readonly [E in EngineName]?: Readonly<Record<string, string>>} = {};
  for (const {engine, status} of nodes) {
    if (engine === undefined || engine in used || !isStale(status)) continue;
    const check = await engines.check(engine);
    used[engine] = check.works ? check.versions : {};
  }
  return used;
}

function recorderFor(
  {io}: Context,
  {pipeline}: Loaded,
  runs: RunStore,
  engines: RunFacts['engines'],
  {warn}: Warnings,
): Reporter {
  return runRecorder({
    facts: {
      command: ['mixdown', ...io.argv],
      seed: pipeline.seed,
      host: hostName(),
      versions: {mixdown: packageVersion(), node: process.versions.node},
      engines,
      machine: machineFacts(),
    },
    open(runId) {
      const folder = runs.create(runId);
      if (!folder.ok) throw new Error(folder.error[0]?.message);
      return folder.value;
    },
    onProblem: (error) =>
      warn({
        code: 'cache-unwritable',
        message: `this run is not recorded: ${error instanceof Error ? error.message : String(error)}`,
      }),
  });
}
