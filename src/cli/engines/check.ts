import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {setMaxListeners} from 'node:events';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {failure, type Failure, type FailureCode} from '../../core/failure.ts';
import type {Job} from '../../core/ports.ts';
import type {Gpu, Lease} from '../../core/resources.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {checkStage, usesGpu, type EngineCheck, type EngineName} from '../../core/tensor-engine.ts';
import type {StageModules} from '../../engine/workspace.ts';
import type {Environment} from '../../exec/environment.ts';
import {headline} from '../../report/failure-text.ts';
import {newRunId} from '../../store/run-store.ts';
import {lazyExecution} from '../workspace.ts';

export interface CheckRequest {
  readonly engine: EngineName;
  /** Device that an engine for GPUs computes on; none for one that finds its device itself. */
  readonly gpu?: Gpu;
  readonly cacheDir: string;
  readonly env: Environment;
  /** Where the stage `engine-check` comes from. */
  readonly modules: StageModules;
  /** Versions of the packages that compute. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What was found, and whether the same would be found later. */
export interface Finding {
  readonly check: EngineCheck;
  /** The machine was too busy or too full to tell: worth another look after a while. */
  readonly transient: boolean;
}

/** An engine that hangs must not hang the plan. The first kernels on a GPU may have to be compiled for it. */
const limitMs = {cpu: 30_000, gpu: 120_000};

/** What a busy machine may cause. */
const transientCodes: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'timed-out',
  'out-of-memory',
  'disk-full',
  'cancelled',
]);

/** Tries an engine in a process of its own: a library that crashes, hangs or computes nonsense is a reason, no more. */
export async function runEngineCheck(request: CheckRequest): Promise<Finding> {
  const {engine, modules, versions, gpu} = request;
  const module = await modules.compile(checkStage);
  if (!module.ok) return {check: broken(module.error[0]), transient: true};
  const startedAt = Date.now();
  const ran = await runCheckJob(request, module.value);
  if (!ran.ok) return {check: broken(ran.error), transient: transientCodes.has(ran.error.code)};
  const {adapter = gpu?.name, software, gflops} = ran.value;
  return {
    check: {
      works: true,
      versions,
      ...(adapter === undefined || !usesGpu(engine) ? {} : {adapter}),
      ...(software === true ? {software} : {}),
      gflops,
      wallMs: Date.now() - startedAt,
    },
    transient: false,
  };
}

/** What the stage writes. */
interface CheckReport {
  readonly adapter?: string;
  readonly software?: boolean;
  readonly gflops: number;
}

/** Works in the cache; where that cannot be written, in a folder of its own: what is there to read may be all that is wanted. */
async function runCheckJob(request: CheckRequest, module: string): Promise<Result<CheckReport, Failure>> {
  const inCache = await runCheckIn(request.cacheDir, request, module);
  if (inCache !== undefined) return inCache;
  let scratch: string | undefined;
  try {
    scratch = mkdtempSync(join(tmpdir(), 'mixdown-engine-'));
    return (await runCheckIn(scratch, request, module)) ?? err(noFolder);
  } catch {
    return err(noFolder);
  } finally {
    if (scratch !== undefined) rmSync(scratch, {recursive: true, force: true});
  }
}

const noFolder = failure('disk-full', 'it could not be tried: there is no folder to work in', {
  hint: 'see that the cache or the folder for temporary files can be written, and has space',
});

/** Undefined when there can be no folder to work in. */
async function runCheckIn(
  dir: string,
  {engine, gpu, env}: CheckRequest,
  module: string,
): Promise<Result<CheckReport, Failure> | undefined> {
  const runId = `${checkStage}-${newRunId(Date.now())}`;
  const execution = lazyExecution({cacheDir: dir, runId, env, workers: 1});
  const lease: Lease =
    gpu === undefined
      ? {cpu: 1, memoryMiB: 0, gpus: [], device: 'cpu'}
      : {cpu: 1, memoryMiB: 0, gpus: [gpu], device: `gpu${gpu.index}`};
  try {
    const folder = await execution.folders.create(checkStage).catch(() => undefined);
    if (folder === undefined) return undefined;
    const job: Job = {
      id: engine,
      node: checkStage,
      work: {type: 'stage', stage: checkStage, module, engine},
      params: {engine},
      seed: 0,
      ports: {},
      inputs: {},
      outputs: {report: {kind: 'file', name: 'report.json'}},
      folder,
      lease,
      timeoutMs: usesGpu(engine) ? limitMs.gpu : limitMs.cpu,
      graceMs: 1000,
    };
    const {signal} = new AbortController();
    setMaxListeners(0, signal);
    const ran = await execution.runner.run(job, () => {}, signal);
    if (!ran.ok) return ran;
    return ok(JSON.parse(readFileSync(ran.value.outputs['report'] ?? '', 'utf8')) as CheckReport);
  } catch (error) {
    // The report is not whole: the disk is full.
    return err(failure('disk-full', error instanceof Error ? error.message : String(error)));
  } finally {
    await execution.close();
  }
}

function broken(failure: Failure | undefined): EngineCheck {
  const {message = 'it could not be tried', hint} = failure ?? {};
  const lines = message.trimEnd().split('\n');
  // The last words of a process that crashed say more than that it did.
  const last = lines.length > 1 ? `: ${lines.at(-1)?.trim()}` : '';
  return {works: false, reason: `${headline(message)}${last}`, ...(hint === undefined ? {} : {hint})};
}
