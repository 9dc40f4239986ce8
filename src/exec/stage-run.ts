import {mkdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {failure, type Failure} from '../core/failure.ts';
import type {JobInput} from '../core/ports.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {InputPort} from '../core/stage.ts';
import type {InputTree, StageContext} from '../stage-api.ts';
import {openTree} from './input-tree.ts';
import {checkOutputs} from './outputs.ts';
import type {StageJob, StageReport} from './protocol.ts';
import {failureOfThrown} from './thrown.ts';
import {threadsOf} from './environment.ts';

export interface StageHooks {
  readonly signal: AbortSignal;
  log(text: string): void;
  progress(fraction: number, message?: string): void;
}

export interface StageOutcome {
  readonly result: Result<StageReport, Failure>;
  /** The module could not be loaded; Node remembers that for the life of the process. */
  readonly unloadable: boolean;
}

type Run = (context: StageContext<unknown, unknown, unknown>) => unknown;

/**
 * Runs one stage job in this process, from its module to checked outputs. Never throws. The job's folder becomes the
 * working directory, so that a stray relative path cannot land in the project.
 */
export async function runStage(job: StageJob, hooks: StageHooks): Promise<StageOutcome> {
  const run = await loadStage(job);
  if (!run.ok) return {result: run, unloadable: true};
  const startedAt = performance.now();
  const before = process.resourceUsage();
  const metrics: Record<string, number> = {};
  let badMetric: Failure | undefined;
  const metric = (name: string, value: number): void => {
    if (Number.isFinite(value)) {
      metrics[name] = value;
      return;
    }
    badMetric ??= failure('stage-failed', `metric "${name}" is ${String(value)}, not a finite number`, {
      hint: 'find out where the number was lost; report a metric only when it exists',
    });
  };
  try {
    process.chdir(job.folder);
    const outputs = prepareOutputs(job);
    const inputs = openInputs(job);
    const {params, seed, lease} = job;
    const {engine} = job.work;
    const place = {threads: threadsOf(lease), device: lease.device, engine, checkpoint: prepareCheckpoint(job)};
    await run.value({params, inputs, outputs, seed, ...place, metric, ...hooks});
  } catch (thrown) {
    return {result: err(failureOfThrown(thrown)), unloadable: false};
  }
  if (badMetric) return {result: err(badMetric), unloadable: false};
  const {ports, root} = {ports: job.outputs, root: join(job.folder, 'out')};
  const checked = checkOutputs({root, ports, allowed: () => false, declareHint, sliced: job.slice !== undefined});
  if (!checked.ok) return {result: checked, unloadable: false};
  const after = process.resourceUsage();
  const report: StageReport = {
    outputs: checked.value,
    metrics,
    wallMs: performance.now() - startedAt,
    cpuMs: (after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1000,
    maxRssBytes: after.maxRSS > before.maxRSS ? after.maxRSS * 1024 : process.memoryUsage.rss(),
  };
  return {result: ok(report), unloadable: false};
}

const declareHint = "declare it in the stage's outputs, or write it outside the output folder";

async function loadStage(job: StageJob): Promise<Result<Run, Failure>> {
  const {stage, module: file} = job.work;
  try {
    const loaded = (await import(pathToFileURL(file).href)) as {default?: {run?: unknown}};
    const run = loaded.default?.run;
    if (typeof run === 'function') return ok(run.bind(loaded.default) as Run);
  } catch (thrown) {
    const cause = failureOfThrown(thrown);
    return err({...cause, message: `stage ${stage} could not be loaded: ${cause.message}`});
  }
  const hint = 'end the module with `export default defineStage({name, ..., run})`';
  return err(failure('stage-invalid', `stage ${stage} has no run function in its default export`, {hint}));
}

function prepareOutputs(job: StageJob): Readonly<Record<string, string>> {
  const root = join(job.folder, 'out');
  mkdirSync(root, {recursive: true});
  const outputs: Record<string, string> = {};
  for (const [port, {kind, name}] of Object.entries(job.outputs)) {
    const path = join(root, name);
    outputs[port] = path;
    if (kind === 'tree') mkdirSync(path, {recursive: true});
    else if (name.includes('/')) mkdirSync(dirname(path), {recursive: true});
  }
  return outputs;
}

function prepareCheckpoint({checkpoint = ''}: StageJob): string {
  if (checkpoint !== '') mkdirSync(checkpoint, {recursive: true});
  return checkpoint;
}

type InputValue = string | InputTree | readonly InputValue[] | undefined;

function openInputs(job: StageJob): Readonly<Record<string, InputValue>> {
  const inputs: Record<string, InputValue> = {};
  for (const [name, port] of Object.entries(job.ports)) inputs[name] = openInput(job.inputs[name], port);
  return inputs;
}

function openInput(input: JobInput | undefined, port: InputPort): InputValue {
  if (!input) return port.many ? [] : undefined;
  switch (input.kind) {
    case 'file':
      return input.path;
    case 'tree':
      return openTree(input);
    case 'many':
      return input.items.map((item) => openInput(item, port));
  }
}
