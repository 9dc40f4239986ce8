import {join} from 'node:path';
import type {RunFinished, SliceCounts} from '../../core/events.ts';
import type {Failure} from '../../core/failure.ts';
import type {BuildSummary} from '../../engine/run-context.ts';
import {engineLine} from '../../report/engine-text.ts';
import {summaryText} from '../../report/summary.ts';
import type {Context} from '../context.ts';
import type {Loaded} from '../load.ts';
import type {PlannedWork} from '../planning.ts';
import {displayPath} from '../project.ts';
import {displays} from '../results.ts';

/** What the end of a run is told from. */
export interface Outcome {
  readonly failures: readonly {readonly node: string; readonly failure: Failure}[];
  readonly sliced: readonly {readonly node: string; readonly slices: SliceCounts}[];
  readonly finished: RunFinished | undefined;
  /** The targets' results lie under `out/`. */
  readonly inPlace: boolean;
}

/** Prints how a run ended. A run without an id left no record. */
export async function summarise(
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
