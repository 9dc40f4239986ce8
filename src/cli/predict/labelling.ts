import {readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {failure, type Failure} from '../../core/failure.ts';
import type {Job, JobInput, TensorEngines} from '../../core/ports.ts';
import type {Lease} from '../../core/resources.ts';
import {err, ok, type Result} from '../../core/result.ts';
import type {StageDeclaration} from '../../core/stage.ts';
import {usesGpu, type EngineName} from '../../core/tensor-engine.ts';
import {readCatalog} from '../../config/stage-catalog.ts';
import {StageLoader} from '../../config/stage-loader.ts';
import {chooseEngine} from '../../engine/chosen-engines.ts';
import type {Environment} from '../../exec/environment.ts';
import {folderInput} from './folder-input.ts';
import type {ModelInput} from './model-input.ts';
import {packageRoot} from '../package.ts';
import type {Recording} from './recordings.ts';
import {lazyExecution} from '../workspace.ts';

/** What the stage says about one recording: its best classes, or why it could not be labelled. */
export type Label =
  | {
      readonly seconds: number;
      readonly pieces: number;
      readonly silent?: true;
      readonly top: readonly {readonly class: string; readonly score: number}[];
    }
  | {readonly reason: string};

export interface LabellingOptions {
  readonly model: ModelInput;
  /** Classes named for each recording. */
  readonly top: number;
  /** Cores to use. */
  readonly cores: number;
  /** Recordings that are expected: what decides how many processes are worth their start. */
  readonly count: number;
  readonly wanted: EngineName | undefined;
  readonly engines: TensorEngines;
  readonly cacheDir: string;
  readonly runId: string;
  readonly env: Environment;
  /** Aborted to stop. */
  readonly signal: AbortSignal;
  /** What the stage prints. */
  readonly onText: (text: string) => void;
}

/** Processes that label recordings. */
export interface Labelling {
  /** Class of the tensor engine. */
  readonly engine: EngineName;
  /** Recordings that can be labelled at a time; more than that wait. */
  readonly workers: number;
  /** Fails only when the labelling is stopped; what ails the recording is said in its label. */
  label(recording: Recording): Promise<Result<Label, Failure>>;
  kill(): void;
  close(): Promise<void>;
}

const stageName = 'predict';
/** A process takes about as long to start as so many recordings to label. */
const recordingsPerWorker = 8;
/** Time between the polite signal to a job and its kill. */
const graceMs = 1000;

/**
 * Starts to label with the built-in stage, one job a recording, so that one that brings a process down costs no other.
 * Loads the model first: what fails then is the model's or the machine's fault.
 */
export async function startLabelling(options: LabellingOptions): Promise<Result<Labelling>> {
  const {cores, count, wanted, engines, cacheDir, runId, env, signal} = options;
  const loader = new StageLoader(readCatalog(packageRoot, packageRoot), cacheDir, packageRoot);
  const declared = await loader.load(stageName);
  if (!declared.ok) return err(declared.error.map(({code, message}) => failure(code, message)));
  const module = await loader.compile(stageName);
  if (!module.ok) return module;
  const {resources} = declared.value;
  const choice = await chooseEngine({resources, ...(wanted === undefined ? {} : {wanted})}, engines);
  const obstacle = await choice.obstacle();
  if (obstacle) return err([obstacle]);
  const {engine} = choice;
  const gpus = (usesGpu(engine) ? await engines.devices(engine) : []).slice(0, 1);
  const workers = gpus.length > 0 ? 1 : Math.max(1, Math.min(cores, Math.floor(count / recordingsPerWorker)));
  const lease: Lease = {
    cpu: Math.max(1, Math.floor(cores / workers)),
    memoryMiB: 0,
    gpus,
    device: gpus[0] === undefined ? 'cpu' : `gpu${gpus[0].index}`,
  };
  const execution = lazyExecution({cacheDir, runId, env, workers});
  const job = {stage: declared.value, module: module.value, engine, lease};
  const run = (recording?: Recording): Promise<Result<readonly Label[], Failure>> =>
    runJob(execution, job, options, recording);
  const labelling: Labelling = {
    engine,
    workers,
    async label(recording) {
      if (signal.aborted) return err(failure('cancelled', 'the labelling was stopped'));
      const ran = await run(recording);
      if (ran.ok) return ok(ran.value[0] ?? {reason: 'nothing was said about it'});
      if (ran.error.code === 'cancelled' || signal.aborted) return ran;
      const {message, hint} = ran.error;
      return ok({reason: hint === undefined ? message : `${message} (${hint})`});
    },
    kill: () => execution.runner.kill(),
    close: () => execution.close(),
  };
  const loaded = await run();
  if (loaded.ok) return ok(labelling);
  await execution.close();
  const {node: _, ...problem} = loaded.error;
  return err([problem]);
}

interface LabelJob {
  readonly stage: StageDeclaration;
  readonly module: string;
  readonly engine: EngineName;
  readonly lease: Lease;
}

/** Without a recording, only the model is loaded. */
async function runJob(
  {folders, runner}: ReturnType<typeof lazyExecution>,
  {stage, module, engine, lease}: LabelJob,
  {model, top, signal, onText}: LabellingOptions,
  recording: Recording | undefined,
): Promise<Result<readonly Label[], Failure>> {
  try {
    const folder = await folders.create(stageName);
    const recordings: JobInput = folderInput(
      recording === undefined ? folder : dirname(recording.path),
      recording === undefined ? [] : [{path: basename(recording.path), bytes: recording.bytes}],
      join(folder, 'recordings.json'),
    );
    const job: Job = {
      id: stageName,
      node: stageName,
      work: {type: 'stage', stage: stageName, module, engine},
      params: {top},
      seed: 0,
      ports: stage.inputs,
      inputs: {model: model.place(join(folder, 'model.json')), recordings},
      outputs: stage.outputs,
      folder,
      lease,
      graceMs,
    };
    const ran = await runner.run(job, (event) => event.type === 'node-log' && onText(event.text), signal);
    const labels = ran.ok ? readLabels(ran.value.outputs['labels'] ?? '') : [];
    await folders.remove(folder);
    return ran.ok ? ok(labels) : ran;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return err(
      failure('cache-unwritable', `there is no folder to work in: ${message}`, {hint: 'name one with --cache'}),
    );
  }
}

function readLabels(path: string): readonly Label[] {
  const {recordings} = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly recordings: readonly (Label & {readonly path: string})[];
  };
  return recordings.map((recording) => {
    const {path: _, ...label} = recording;
    return label;
  });
}
