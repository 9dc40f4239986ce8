import {homedir} from 'node:os';
import {join, resolve} from 'node:path';
import type {Failure} from '../../core/failure.ts';
import type {Result} from '../../core/result.ts';
import {coresAndMemory} from '../../exec/devices.ts';
import {countText} from '../../report/count-text.ts';
import {newRunId} from '../../store/run-store.ts';
import type {Context} from '../context.ts';
import {openEngines} from '../engines/machine-engines.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {startLabelling, type Label, type Labelling} from '../predict/labelling.ts';
import {labelLine, type LabelColumns} from '../predict/label-line.ts';
import {findModel, type ModelInput} from '../predict/model-input.ts';
import {findProject} from '../project.ts';
import {findRecordings, type NoRecording, type Recording} from '../predict/recordings.ts';
import {listenForInterrupts} from '../signals.ts';
import {slownessOf} from '../engines/slow-engine.ts';

export interface PredictOptions {
  readonly top: number;
  readonly jobs?: number;
}

/**
 * Labels recordings with a model package: a line for each, in the order in which they were named, as soon as it is there.
 * JSON: one object a line, `{file, seconds, pieces, top: [{class, score}]}` or `{file, error}`. Exit code 1 when one could not
 * be labelled.
 */
export async function predictCommand(
  context: Context,
  modelName: string,
  names: readonly string[],
  options: PredictOptions,
): Promise<ExitCode> {
  const model = await findModel(context, modelName);
  if (!model.ok) return context.fail(model.error);
  try {
    return await labelAll(context, model.value, findRecordings(names, context.io.cwd), options);
  } finally {
    model.value.close();
  }
}

async function labelAll(
  context: Context,
  model: ModelInput,
  named: readonly (Recording | NoRecording)[],
  {top, jobs}: PredictOptions,
): Promise<ExitCode> {
  const {io, globals, note} = context;
  const cacheDir = cacheFolder(context);
  const interrupts = listenForInterrupts(() => {});
  let labelling: Labelling | undefined;
  interrupts.kill.addEventListener('abort', () => labelling?.kill(), {once: true});
  const engines = openEngines({
    cacheDir,
    env: io.env,
    onCheck: (engine) => note(`trying the tensor engine ${engine}, once on this machine`),
  });
  try {
    const started = await startLabelling({
      model,
      top,
      cores: jobs ?? coresAndMemory().cpu,
      count: named.length,
      wanted: globals.engine,
      engines,
      cacheDir,
      runId: `predict-${newRunId(io.now())}`,
      env: io.env,
      signal: interrupts.stop,
      onText: (text) => (globals.verbose ? note(text) : undefined),
    });
    if (!started.ok) return interrupts.stop.aborted ? exitCodes.interrupted : context.fail(started.error);
    labelling = started.value;
    const slowness =
      labelling.engine === 'cpu' && globals.engine === undefined ? await slownessOf('the model', engines) : undefined;
    if (slowness) context.warn(slowness);
    if (globals.verbose) note(`${countText(labelling.workers, 'process', 'processes')}, engine ${labelling.engine}`);
    return await printLabels(context, labelling, named, model.classes);
  } finally {
    await labelling?.close();
    interrupts.dispose();
  }
}

async function printLabels(
  context: Context,
  labelling: Labelling,
  named: readonly (Recording | NoRecording)[],
  classes: readonly string[],
): Promise<ExitCode> {
  const {default: pLimit} = await import('p-limit');
  const limit = pLimit(labelling.workers);
  const labels = named.map((each) =>
    'path' in each ? limit(() => labelling.label(each)) : Promise.resolve(reasonLabel(each)),
  );
  const columns = {names: named.map(({name}) => name), classes};
  let bad = 0;
  for (const [i, pending] of labels.entries()) {
    const label = await pending;
    if (!label.ok) {
      // None may be starting while the folders are removed.
      await Promise.all(labels);
      return exitCodes.interrupted;
    }
    if ('reason' in label.value) bad++;
    printLabel(context, named[i]?.name ?? '', label.value, columns);
  }
  if (bad > 0 && named.length > 1 && !context.globals.json) {
    context.note(`${bad} of ${countText(named.length, 'recording')} could not be labelled`);
  }
  return bad > 0 ? exitCodes.nodeFailed : exitCodes.done;
}

function reasonLabel({problem}: NoRecording): Result<Label, Failure> {
  return {ok: true, value: {reason: problem}};
}

function printLabel({io, globals, paint, print}: Context, name: string, label: Label, columns: LabelColumns): void {
  if (globals.json) {
    const line = 'reason' in label ? {file: name, error: label.reason} : {file: name, ...label};
    print(JSON.stringify(line));
  } else if ('reason' in label) {
    io.stderr.write(`${labelLine(name, label, columns, paint)}\n`);
  } else {
    print(labelLine(name, label, columns, paint));
  }
}

/**
 * Where compiled stages, and what was found out about the tensor engines, are kept: the project's cache, or the user's where
 * there is no project.
 */
function cacheFolder({io, globals}: Context): string {
  const project = findProject({io, globals});
  if (project.ok) return project.value.cacheDir;
  const {MIXDOWN_CACHE_DIR: fromEnv = '', XDG_CACHE_HOME: shared = '', HOME: home = ''} = io.env;
  const given = globals.cache ?? fromEnv;
  if (given !== '') return resolve(io.cwd, globals.directory ?? '.', given);
  if (shared !== '') return join(shared, 'mixdown');
  return join(home === '' ? homedir() : home, '.cache', 'mixdown');
}
