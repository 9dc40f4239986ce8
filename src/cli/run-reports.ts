import type {Emit} from '../core/events.ts';
import {failure, type Failure} from '../core/failure.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {BuildSummary} from '../engine/run-context.ts';
import {failedStartText, jobSummaryText, type Baseline, type Metrics} from '../report/job-summary.ts';
import {failureCases} from '../report/junit.ts';
import {RunCases} from '../report/run-cases.ts';
import type {RunEnd, PlannedRun} from './commands/run.ts';
import type {Context} from './context.ts';
import {exitCodes, type ExitCode} from './exit.ts';
import {annotating, githubStep, type GithubStep} from './github.ts';
import {openJunitFile, type JunitFile} from './junit-file.ts';
import {nodesOf} from './run-choice.ts';
import {readRecord} from './records.ts';
import {hostName} from './workspace.ts';

/** What a run is told with besides the terminal and its record: a JUnit file, and the page of a GitHub job. */
export interface RunReports {
  /** The context of the run: what it fails with before it begins is reported too. */
  readonly context: Context;
  readonly emit: Emit;
  /** Tells of a run that came to its end, while its workspace is open. */
  readonly tell: (run: PlannedRun, end: RunEnd) => void;
  /** Writes what is left to write; the exit code becomes another when that fails. */
  readonly end: (code: ExitCode) => ExitCode;
}

/** Fails when a report that is asked for cannot be written. */
export function openRunReports(
  given: Context,
  {junit, dryRun}: {readonly junit?: string; readonly dryRun?: true},
): Result<RunReports> {
  if (junit !== undefined && dryRun) return err([failure('usage', '--junit reports a run, and --dry-run makes none')]);
  const file = junit === undefined ? ok(undefined) : openJunitFile(given, junit, 'mixdown run');
  if (!file.ok) return file;
  const step = dryRun ? undefined : githubStep(given);
  if (file.value === undefined && step === undefined) {
    return ok({context: given, emit: () => {}, tell: () => {}, end: (code) => code});
  }
  return ok(reportsOf(given, step, file.value));
}

function reportsOf(given: Context, step: GithubStep | undefined, file: JunitFile | undefined): RunReports {
  const annotated = annotating(given, step);
  const failures: Failure[] = [];
  const cases = new RunCases();
  let began = false;
  return {
    context: {
      ...annotated,
      fail(problems) {
        failures.push(...problems);
        return annotated.fail(problems);
      },
    },
    emit(event) {
      began = true;
      cases.emit(event);
      if (event.type === 'warning') step?.annotate([event.failure], 'warning');
    },
    tell(run, {summary}) {
      if (step === undefined) return;
      for (const {node, failure: problem} of cases.failed) {
        if (problem === undefined) continue;
        const range = summary.plan.nodes.find((each) => each.node.id === node)?.node.range;
        step.failedNode({...problem, node}, range, cases.tailOf(node));
      }
      const text = summaryOf(run, summary, cases);
      const problem = text === undefined ? undefined : step.summarise(text);
      if (problem) annotated.warn(problem);
    },
    end(code) {
      const host = hostName();
      if (!began && failures.length > 0) {
        const problem = step?.summarise(failedStartText(failures));
        if (problem) annotated.warn(problem);
      }
      step?.close();
      const startedAt = new Date(given.io.now()).toISOString();
      const suite = began
        ? cases.suite(host)
        : {name: 'mixdown run', wallMs: 0, startedAt, host, cases: failureCases(failures)};
      const problem = file?.write(suite);
      if (problem === undefined) return code;
      const own = annotated.fail([problem]);
      return code === exitCodes.done ? own : code;
    },
  };
}

function summaryOf({work, runId}: PlannedRun, summary: BuildSummary, cases: RunCases): string | undefined {
  const {finished} = cases;
  if (cases.end === undefined) return undefined;
  const {state} = work.workspace;
  let savedMs = 0;
  const all = new Map<string, Metrics>();
  for (const [node, {outcome, metrics}] of finished) {
    if (outcome === 'cached' || outcome === 'up-to-date') savedMs += state.get(node)?.wallMs ?? 0;
    if (metrics !== undefined) all.set(node, metrics);
  }
  const targets = new Map(
    [...all].filter(([node, own]) => {
      return summary.plan.targets.includes(node) && Object.keys(own).length > 0;
    }),
  );
  const baseline = previousRun(work.workspace.runs, runId, all);
  return jobSummaryText({
    finished: cases.end,
    savedMs,
    failures: cases.failed.flatMap(({node, failure: problem}) => (problem ? [{node, failure: problem}] : [])),
    metrics: targets.size > 0 ? targets : all,
    all,
    ...(baseline === undefined ? {} : {baseline}),
  });
}

/** The newest earlier run that was done and has one of these nodes. */
function previousRun(
  runs: PlannedRun['work']['workspace']['runs'],
  runId: string,
  nodes: ReadonlyMap<string, Metrics>,
): Baseline | undefined {
  for (const id of runs
    .list()
    .filter((each) => each !== runId)
    .slice(0, mostRuns)) {
    const record = readRecord(runs, id);
    if (record?.outcome !== 'done') continue;
    const metrics = new Map(
      Object.entries(nodesOf(runs, record)).flatMap(([node, {metrics: own}]) => (own ? [[node, own] as const] : [])),
    );
    if ([...nodes.keys()].some((node) => metrics.has(node))) return {name: `run ${id}`, metrics};
  }
  return undefined;
}

const mostRuns = 20;
