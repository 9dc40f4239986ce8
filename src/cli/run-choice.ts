import {didYouMean} from '../core/closest.ts';
import {failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import {err, ok, type Result} from '../core/result.ts';
import {countText} from '../report/count-text.ts';
import type {RunRecord, RunRecordNode} from '../report/run-record.ts';
import type {RunStore} from '../store/run-store.ts';
import {finishedNodes, readRecord} from './records.ts';

/** The record of a run that somebody named: its id, the start of it, `latest`, or `latest~2` for the second before it. */
export function chooseRun(runs: RunStore, wanted: string): Result<RunRecord> {
  const ids = runs.list();
  const id = chooseId(ids, wanted);
  if (!id.ok) return id;
  const record = readRecord(runs, id.value);
  if (record !== undefined) return ok(record);
  const hint = 'its run.json is damaged, or of another version; name another run (see `mixdown runs`)';
  return err([failure('record-corrupt', `the record of run ${id.value} cannot be read`, {hint})]);
}

/** What became of each node of the run. Of a run that was killed, what its events tell. */
export function nodesOf(runs: RunStore, record: RunRecord): Readonly<Record<NodeId, RunRecordNode>> {
  return record.outcome === 'running' ? finishedNodes(runs, record.id) : record.nodes;
}

function chooseId(ids: readonly string[], wanted: string): Result<string> {
  if (ids.length === 0) {
    return err([failure('usage', 'there are no runs yet', {hint: 'make one with `mixdown run`'})]);
  }
  const back = /^latest(?:~(\d{1,9}))?$/.exec(wanted);
  if (back) {
    const id = ids[Number(back[1] ?? 0)];
    if (id !== undefined) return ok(id);
    const hint = 'a run with nothing to do is not recorded; list them with `mixdown runs`';
    return err([failure('usage', `\`${wanted}\` goes too far back: ${countText(ids.length, 'run')} recorded`, {hint})]);
  }
  if (ids.includes(wanted)) return ok(wanted);
  const matching = wanted === '' ? [] : ids.filter((id) => id.startsWith(wanted));
  const [first] = matching;
  if (first === undefined) {
    const hint = didYouMean(wanted, ids.slice(0, 100)) ?? 'list them with `mixdown runs`';
    return err([failure('usage', `there is no run \`${wanted}\``, {hint})]);
  }
  if (matching.length === 1) return ok(first);
  return err([failure('usage', `\`${wanted}\` is the start of ${matching.length} run ids`)]);
}
