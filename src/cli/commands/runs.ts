import {durationText} from '../../report/duration.ts';
import {explainBriefly} from '../../report/explain-text.ts';
import {failureText} from '../../report/failure-text.ts';
import type {RunRecord} from '../../report/run-record.ts';
import {countsText} from '../../report/summary.ts';
import {versionsText} from '../../report/engine-text.ts';
import {textTable} from '../../report/table.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {findProject} from '../project.ts';
import {openRunStore} from '../../store/run-store.ts';
import {readRecord, startReasons} from '../records.ts';
import {chooseRun} from '../run-choice.ts';

/** Lists the recorded runs, newest first, or shows one. JSON: the run records, without and with their nodes. */
export async function runsCommand(
  context: Context,
  wanted: string | undefined,
  {limit}: {readonly limit: number},
): Promise<ExitCode> {
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const runs = openRunStore(project.value.runsDir);
  const ids = runs.list();
  if (wanted !== undefined) {
    const found = chooseRun(runs, wanted);
    if (!found.ok) return context.fail(found.error);
    if (context.globals.json) context.printJson(found.value);
    else context.print(runText(found.value, startReasons(runs, found.value.id), context));
    return exitCodes.done;
  }
  const records = ids.slice(0, limit).flatMap((id) => readRecord(runs, id) ?? []);
  if (context.globals.json) {
    context.printJson(records.map((record) => ({...record, nodes: undefined})));
    return exitCodes.done;
  }
  if (records.length === 0) {
    context.print('no runs yet');
    return exitCodes.done;
  }
  const rows = records.map((record) => [
    record.id,
    outcomeText(record, context),
    record.wallMs === undefined ? '' : durationText(record.wallMs),
    record.counts === undefined ? '' : countsText(record.counts),
    record.targets.length > 2 ? `${record.targets.length} targets` : record.targets.join(' '),
  ]);
  const columns = [
    {title: 'run'},
    {title: 'outcome'},
    {title: 'time', align: 'right' as const},
    {title: 'nodes'},
    {title: 'targets'},
  ];
  context.print(textTable(columns, rows));
  if (ids.length > limit) context.note(`${ids.length - limit} older; see --limit`);
  return exitCodes.done;
}

function runText(record: RunRecord, reasons: ReturnType<typeof startReasons>, context: Context): string {
  const {paint} = context;
  const facts = [
    ['run', record.id],
    ['started', record.startedAt],
    ['outcome', outcomeText(record, context)],
    ...(record.wallMs === undefined ? [] : [['time', durationText(record.wallMs)]]),
    ...(record.counts === undefined ? [] : [['nodes', countsText(record.counts)]]),
    ['command', record.command.join(' ')],
    ['seed', String(record.seed)],
    ['host', record.host],
    ['versions', versionsText(record.versions)],
    ...Object.entries(record.engines ?? {}).map(([engine, versions]) => [
      'engine',
      `${engine} (${versionsText(versions)})`,
    ]),
  ];
  const blocks = [textTable([{title: ''}, {title: ''}], facts)];
  const ran = Object.entries(record.nodes).filter(([, {outcome}]) => outcome === 'executed' || outcome === 'failed');
  if (ran.length > 0) {
    const rows = ran.map(([node, {outcome, wallMs, device, engine}]) => [
      node,
      outcome === 'failed' ? paint.bad(outcome) : outcome,
      durationText(wallMs),
      [device ?? '', ...(engine === undefined ? [] : [engine])].join(' '),
      paint.dim(explainBriefly(reasons.get(node) ?? [])),
    ]);
    const columns = [
      {title: 'node'},
      {title: 'outcome'},
      {title: 'time', align: 'right' as const},
      {title: 'device'},
      {title: 'why'},
    ];
    blocks.push(textTable(columns, rows));
  }
  for (const {failure: problem} of Object.values(record.nodes)) {
    if (problem !== undefined && problem.code !== 'blocked') blocks.push(failureText(problem, paint));
  }
  return blocks.join('\n\n');
}

/** A record that says "running" after its process died tells of a crash; which of the two it is, only the user knows. */
function outcomeText({outcome}: RunRecord, {paint}: Context): string {
  switch (outcome) {
    case 'done':
      return paint.good('done');
    case 'failed':
      return paint.bad('failed');
    case 'interrupted':
      return paint.warn('interrupted');
    case 'running':
      return paint.warn('unfinished');
  }
}
