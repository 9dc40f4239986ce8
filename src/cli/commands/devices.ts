import {cpus} from 'node:os';
import type {Gpu} from '../../core/resources.ts';
import {bytesText} from '../../report/bytes.ts';
import {speedText, versionsText} from '../../report/engine-text.ts';
import {textTable} from '../../report/table.ts';
import {discoverMachine, type Discovery} from '../../exec/devices.ts';
import type {Context} from '../context.ts';
import {surveyEngines, type EngineSurvey, type SurveyOptions, type SurveyedEngine} from '../engines/survey.ts';
import {exitCodes, type ExitCode} from '../exit.ts';

const mib = 1024 ** 2;

/**
 * What this machine offers to a run. JSON: `{machine: {cpu, memoryMiB, gpus}, notes, engines}`; of each engine
 * `{engine, works: true, versions, adapter?, software?, gflops, wallMs, usedFor?}` or `{engine, works: false, reason, hint?}`.
 */
export async function devicesCommand(context: Context, options: SurveyOptions): Promise<ExitCode> {
  const {masked: _, ...discovery} = await discoverMachine({env: context.io.env});
  const survey = await surveyEngines(context, options);
  const gpus = [...discovery.machine.gpus, ...(survey.adapter ? [survey.adapter] : [])];
  if (context.globals.json) {
    context.printJson({machine: {...discovery.machine, gpus}, notes: discovery.notes, engines: survey.engines});
    return exitCodes.done;
  }
  context.print(`${deviceTable(discovery, gpus, context)}\n\n${engineTable(survey, context)}`);
  for (const note of discovery.notes) context.note(note);
  return exitCodes.done;
}

function deviceTable({machine}: Discovery, gpus: readonly Gpu[], {paint}: Context): string {
  const model = cpus()[0]?.model.trim() ?? '';
  const rows = [
    ['cpu', `${machine.cpu} cores`, bytesText(machine.memoryMiB * mib), model],
    ...gpus.map(({index, name, memoryMiB, uuid}) => [
      `gpu${index}`,
      '1 device',
      bytesText(memoryMiB * mib),
      `${name}  ${paint.dim(uuid)}`,
    ]),
  ];
  return textTable([{title: 'device'}, {title: ''}, {title: 'memory', align: 'right'}, {title: 'model'}], rows);
}

function engineTable({engines}: EngineSurvey, context: Context): string {
  const rows = engines.map((engine) => {
    if (!engine.works) return [engine.engine, context.paint.dim('not here'), '', engine.reason];
    return [engine.engine, stateText(engine, context), speedText(engine.gflops), aboutText(engine)];
  });
  const columns = [{title: 'engine'}, {title: ''}, {title: 'product', align: 'right' as const}, {title: ''}];
  return textTable(columns, rows);
}

function stateText({usedFor}: SurveyedEngine, {paint}: Context): string {
  if (usedFor === undefined) return 'works';
  return paint.good(usedFor === 'gpu' ? 'used on a GPU' : 'used');
}

function aboutText(engine: SurveyedEngine & {readonly works: true}): string {
  const {adapter, software, versions} = engine;
  const where = adapter === undefined ? '' : `${adapter}${software ? ' (a program, not a GPU)' : ''}; `;
  return `${where}${versionsText(versions)}`;
}
