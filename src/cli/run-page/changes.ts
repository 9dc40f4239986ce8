import type {Pins} from '../../core/pins.ts';
import {metricDrifts} from '../../pins/values.ts';
import type {PageChanges} from '../../report/page-data.ts';
import {mostChanges, pageChanges, type MetricsByNode} from '../../report/page-changes.ts';
import type {RunRecordNode} from '../../report/run-record.ts';
import type {RunStore} from '../../store/run-store.ts';
import type {PageBooks} from './books.ts';
import {readRecord} from '../records.ts';

/** Runs that are looked through. */
const mostRuns = 50;

/**
 * What the metrics of a run differ in: of the newest run from the pinned ones, if they do; else from the last run before it
 * that finished with the same targets. A run keeps the lock by itself, so that most runs agree with it.
 *
 * @param lock - name of the file that has the pins
 */
export function changesOf(
  runs: RunStore,
  books: PageBooks,
  pins: Pins | undefined,
  lock: string,
): PageChanges | undefined {
  const recorded = runs.list();
  const since = pins && recorded[0] === books.record.id ? changesSincePins(books, pins, lock) : undefined;
  const differs = since && since.metrics.length + since.added.length + since.removed.length > 0;
  return differs ? since : changesSinceRun(recorded, runs, books);
}

function changesSinceRun(
  recorded: readonly string[],
  runs: RunStore,
  {record, ids, ended}: PageBooks,
): PageChanges | undefined {
  const here = new Set(ids);
  for (const id of recorded.slice(recorded.indexOf(record.id) + 1).slice(0, mostRuns)) {
    const earlier = readRecord(runs, id);
    if (earlier?.outcome !== 'done' || earlier.targets.join('\n') !== record.targets.join('\n')) continue;
    return pageChanges(id, metricsOf(Object.entries(earlier.nodes)), metricsOf(ended), (node) => !here.has(node));
  }
  return undefined;
}

/** Beyond what the outputs allow. A node is new or gone as far as the run and the pipeline are about what is pinned. */
function changesSincePins({record, ended, loaded, nodeOf}: PageBooks, pins: Pins, lock: string): PageChanges {
  const metrics = metricsOf(ended);
  const changed = [...metrics].flatMap(([node, now]) =>
    metricDrifts(pins.nodes.get(node)?.metrics, now, nodeOf(node)?.compareMetrics ?? {}).map(
      ({name, before = null, after = null}) => ({node, metric: name, before, after}),
    ),
  );
  const allPinned = record.targets.every((target) => pins.nodes.has(target));
  return {
    since: lock,
    metrics: changed.slice(0, mostChanges),
    added: allPinned ? [...metrics.keys()].filter((node) => !pins.nodes.has(node)) : [],
    removed: loaded ? [...pins.nodes.keys()].filter((node) => nodeOf(node) === undefined) : [],
  };
}

function metricsOf(nodes: Iterable<readonly [string, RunRecordNode]>): MetricsByNode {
  return new Map(
    [...nodes].flatMap(([id, {metrics, outputs}]) => (outputs === undefined ? [] : [[id, metrics ?? {}]])),
  );
}
