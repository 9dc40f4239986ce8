import {failure} from '../../core/failure.ts';
import {chromeTrace} from '../../report/chrome-trace.ts';
import {openRunStore} from '../../store/run-store.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {recordedEvents} from '../records.ts';
import {chooseRun} from '../run-choice.ts';
import {findProject} from '../project.ts';

/** Prints a recorded run in the Trace Event Format, one event a line. Reads only. */
export async function traceCommand(context: Context, wanted = 'latest'): Promise<ExitCode> {
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const runs = openRunStore(project.value.runsDir);
  const picked = chooseRun(runs, wanted);
  if (!picked.ok) return context.fail(picked.error);
  const {id} = picked.value;
  const events = recordedEvents(runs, id);
  if (events.length === 0) return context.fail([failure('record-corrupt', `run ${id} has no events on record`)]);
  const {traceEvents, ...rest} = chromeTrace(events);
  const lines = traceEvents.map((event) => JSON.stringify(event)).join(',\n');
  context.print(`${JSON.stringify(rest).slice(0, -1)},"traceEvents":[\n${lines}\n]}`);
  return exitCodes.done;
}
