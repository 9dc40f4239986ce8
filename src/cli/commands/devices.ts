import {cpus} from 'node:os';
import {bytesText} from '../../report/bytes.ts';
import {textTable} from '../../report/table.ts';
import {discoverMachine} from '../../exec/devices.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';

const mib = 1024 ** 2;

/** What this machine offers to a run. JSON: `{machine: {cpu, memoryMiB, gpus}, notes}`. */
export async function devicesCommand(context: Context): Promise<ExitCode> {
  const discovery = await discoverMachine({env: context.io.env});
  if (context.globals.json) {
    context.printJson(discovery);
    return exitCodes.done;
  }
  const {machine, notes} = discovery;
  const model = cpus()[0]?.model.trim() ?? '';
  const rows = [
    ['cpu', `${machine.cpu} cores`, bytesText(machine.memoryMiB * mib), model],
    ...machine.gpus.map(({index, name, memoryMiB, uuid}) => [
      `gpu${index}`,
      '1 device',
      bytesText(memoryMiB * mib),
      `${name}  ${context.paint.dim(uuid)}`,
    ]),
  ];
  context.print(textTable([{title: 'device'}, {title: ''}, {title: 'memory', align: 'right'}, {title: 'model'}], rows));
  for (const note of notes) context.note(note);
  return exitCodes.done;
}
