import type {Emit} from '../../core/events.ts';
import {failure, type Failure, type SourceRange} from '../../core/failure.ts';
import type {NodeCheck} from '../../core/pin-check.ts';
import type {NodeId} from '../../core/pipeline.ts';
import type {Pins} from '../../core/pins.ts';
import {err, ok, type Result} from '../../core/result.ts';
import type {BuildSummary} from '../../engine/run-context.ts';
import {checkCase} from '../../report/check-cases.ts';
import {
  checkSummaryText,
  failedStartText,
  jobSummaryText,
  type Baseline,
  type Metrics,
} from '../../report/job-summary.ts';
import {failureCases, type JunitCase} from '../../report/junit.ts';
import {RunCases} from '../../report/run-cases.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {annotating, githubStep, type GithubStep} from './github.ts';
import {openJunitFile, type JunitFile} from './junit-file.ts';
import type {Loaded} from '../load.ts';
import type {RunLock} from '../pins/run-lock.ts';
import {nodesOf} from '../run-choice.ts';
import {readRecord} from '../records.ts';
import type {RunEnd} from '../running/execute-run.ts';
import type {PlannedRun} from '../running/planned-run.ts';
import {hostName} from '../workspace.ts';

/** What a run is told with besides the terminal and its record: a JUnit file, and the page of a GitHub job. */
export interface RunReports {
  /** The context of the run: what it fails with before it begins is reported too. */
  readonly context: Context;
  readonly emit: Emit;
  /** Tells of a run that came to its end, while its workspace is open. */
  readonly tell: (run: PlannedRun, end: RunEnd, lock: Pick<RunLock, 'file' | 'pins'>) => void;
  /** Told which pipeline it is, as soon as that is known. */
  readonly know: (loaded: Loaded) => void;
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
    return ok({context: given, emit: () => {}, tell: () => {}, know: () => {}, end: (code) => code});
  }
  return ok(reportsOf(given, step, file.value));
}

function reportsOf(given: Context, step: GithubStep | undefined, file: JunitFile | undefined): RunReports {
  const annotated = annotating(given, step);
  const failures: Failure[] = [];
  const cases = new RunCases();
  const checks: NodeCheck[] = [];
  let loaded: Loaded | undefined;
  let began = false;
  return {
    context: {
      ...annotated,
      fail(problems) {
        failures.push(...problems);
        return annotated.fail(problems);
      },
      tellChecks(found) {
        checks.push(...found);
        step?.annotateChecks(found, (node) => rangeOf(loaded, node));
      },
    },
    know(project) {
      loaded = project;
    },
    emit(event) {
      began = true;
      cases.emit(event);
      if (event.type === 'warning') step?.annotate([event.failure], 'warning');
    },
    tell(run, {summary}, lock) {
      if (step === undefined) return;
      for (const {node, failure: problem} of cases.failed) {
        if (problem === undefined) continue;
        step.failedNode({...problem, node}, rangeOf(run.loaded, node), cases.tailOf(node));
      }
      const text = summaryOf(run, summary, cases, lock);
      const problem = text === undefined ? undefined : step.summarise(text);
      if (problem) annotated.warn(problem);
    },
    end(code) {
      const host = hostName();
      const page = began ? undefined : startText(failures, checks);
      const untold = page === undefined ? undefined : step?.summarise(page);
      if (untold) annotated.warn(untold);
      step?.close();
      const startedAt = new Date(given.io.now()).toISOString();
      const suite = began
        ? cases.suite(host, checks)
        : {name: 'mixdown run', wallMs: 0, startedAt, host, cases: [...failureCases(failures), ...checks.map(caseOf)]};
      const problem = file?.write(suite);
      if (problem === undefined) return code;
      const own = annotated.fail([problem]);
      return code === exitCodes.done ? own : code;
    },
  };
}

/** The page of a run that did not begin; undefined when there was nothing to do. */
function startText(failures: readonly Failure[], checks: readonly NodeCheck[]): string | undefined {
  if (failures.length > 0) return failedStartText(failures);
  return checks.length > 0
    ? checkSummaryText({checks, file: 'mixdown run --frozen', fresh: false, problems: []})
    : undefined;
}

export function caseOf(check: NodeCheck): JunitCase {
  return {...checkCase(check), wallMs: 0};
}

/** Where pipeline.yaml declares a node. */
export function rangeOf(loaded: Loaded | undefined, node: NodeId): SourceRange | undefined {
  return loaded?.graph.nodes[loaded.graph.indexOf.get(node) ?? -1]?.range;
}

function summaryOf(
  {work, runId}: PlannedRun,
  summary: BuildSummary,
  cases: RunCases,
  {file, pins}: Pick<RunLock, 'file' | 'pins'>,
): string | undefined {
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
  const baseline = pins
    ? pinnedMetrics(pins, file?.shown ?? 'mixdown.lock')
    : previousRun(work.workspace.runs, runId, all);
  return jobSummaryText({
    finished: cases.end,
    savedMs,
    failures: cases.failed.flatMap(({node, failure: problem}) => (problem ? [{node, failure: problem}] : [])),
    metrics: targets.size > 0 ? targets : all,
    all,
    ...(baseline === undefined ? {} : {baseline}),
  });
}

function pinnedMetrics({nodes}: Pins, name: string): Baseline {
  return {name, metrics: new Map([...nodes].map(([node, {metrics}]) => [node, metrics]))};
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
