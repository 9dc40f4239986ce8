import type {Emit, Event, RunFinished, SliceCounts} from '../../core/events.ts';
import type {Failure} from '../../core/failure.ts';
import type {BuildSummary} from '../../engine/run-context.ts';
import type {Reporter} from '../../report/reporter.ts';
import {cancelAbandonedJobs} from '../abandoned-jobs.ts';
import type {Context} from '../context.ts';
import {executePlanned, type ExecutionOptions} from '../execution.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {finishUploads} from '../remote/open.ts';
import {linkResults, resultsInPlace} from '../results.ts';
import type {Interrupts} from '../signals.ts';
import {terminalReporter} from '../terminal.ts';
import type {PlannedRun, RunSettings} from './planned-run.ts';
import {recorderFor} from './recorder.ts';
import {summarise, type Outcome} from './summary.ts';

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

/** Carries a planned run out, tells of it and records it. */
export async function executeRun(
  context: Context,
  {loaded, work, warnings, runId, clusterAddress: address}: PlannedRun,
  options: RunSettings,
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
    ? [await recorderFor(context, loaded, plan, workspace.runs, warnings), terminal]
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

function exitCodeOf(summary: BuildSummary, failures: Outcome['failures']): ExitCode {
  if (summary.outcome === 'done') return exitCodes.done;
  if (summary.outcome === 'interrupted') return exitCodes.interrupted;
  return failures.some(({failure}) => failure.code === 'internal-error') ? exitCodes.internal : exitCodes.nodeFailed;
}
