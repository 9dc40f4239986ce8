import type {PageChanges} from '../report/page-data.ts';
import {pageChanges, type MetricsByNode} from '../report/page-changes.ts';
import type {RunRecordNode} from '../report/run-record.ts';
import type {RunStore} from '../store/run-store.ts';
import type {PageBooks} from './page-books.ts';
import {readRecord} from './records.ts';

/** Runs that are looked through. */
const mostRuns = 50;

/** What the metrics of a run differ in from the last run before it that finished with the same targets, if there is one. */
export function changesSinceRun(runs: RunStore, {record, ids, ended}: PageBooks): PageChanges | undefined {
  const recorded = runs.list();
  const here = new Set(ids);
  for (const id of recorded.slice(recorded.indexOf(record.id) + 1).slice(0, mostRuns)) {
    const earlier = readRecord(runs, id);
    if (earlier?.outcome !== 'done' || earlier.targets.join('\n') !== record.targets.join('\n')) continue;
    return pageChanges(id, metricsOf(Object.entries(earlier.nodes)), metricsOf(ended), (node) => !here.has(node));
  }
  return undefined;
}

function metricsOf(nodes: Iterable<readonly [string, RunRecordNode]>): MetricsByNode {
  return new Map(
    [...nodes].flatMap(([id, {metrics, outputs}]) => (outputs === undefined ? [] : [[id, metrics ?? {}]])),
  );
}
