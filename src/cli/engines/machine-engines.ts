import {join} from 'node:path';
import type {TensorEngines} from '../../core/ports.ts';
import type {Gpu} from '../../core/resources.ts';
import {checkStage, usesGpu, type BrokenEngine, type EngineCheck, type EngineName} from '../../core/tensor-engine.ts';
import {missingVersion} from '../../config/code-digest.ts';
import {readCatalog} from '../../config/stage-catalog.ts';
import {StageLoader} from '../../config/stage-loader.ts';
import {coresAndMemory, discoverGpus, listingProgram, type GpuDiscovery} from '../../exec/devices.ts';
import {bootId, engineStamp, missingPackages, versionsFor, type EngineVersions} from '../../exec/engine-stamp.ts';
import type {Environment} from '../../exec/environment.ts';
import {readMemory, writeMemory, type EngineMemory} from './memory.ts';
import {packageRoot} from '../package.ts';

export interface EnginesOptions {
  /** What was found out is remembered here. */
  readonly cacheDir: string;
  readonly env: Environment;
  /** Told before an engine is tried, which takes a second or more. */
  readonly onCheck?: (engine: EngineName) => void;
  /** Believe nothing that is remembered. */
  readonly refresh?: boolean;
}

/** The tensor engines of this machine. */
export interface MachineEngines extends TensorEngines {
  /** Takes what was just found for what is there. True when other GPUs were remembered. */
  learn(found: GpuDiscovery): Promise<boolean>;
}

/** After which time a machine that was too busy or too full is tried again. */
const transientMs = 10 * 60_000;

/**
 * Finds out which engines work, at most once while nothing changes that could matter. A package that is missing is noticed
 * without starting a process; what is remembered costs a few small reads.
 */
export function openEngines({cacheDir, env, onCheck = () => {}, refresh = false}: EnginesOptions): MachineEngines {
  const modules = once(() => new StageLoader(readCatalog(packageRoot, packageRoot), cacheDir, packageRoot));
  const stage = once(async () => {
    const loaded = await modules().load(checkStage);
    if (!loaded.ok) throw new Error(`the stage ${checkStage} cannot be loaded: ${loaded.error[0]?.message ?? ''}`);
    return loaded.value;
  });
  // It imports every engine, so that its code tells which packages there are.
  const versions = async (): Promise<EngineVersions> => {
    const packages = Object.entries((await stage()).manifest.packages);
    return Object.fromEntries(packages.filter(([, version]) => version !== missingVersion));
  };
  const file = once(async () => join(cacheDir, 'engines', `${engineStamp(env, (await stage()).code)}.json`));
  const recall = async (): Promise<EngineMemory> => readMemory(await file());
  const remember = async (change: (before: EngineMemory) => EngineMemory): Promise<void> => {
    // Another process may have added to it since it was read.
    writeMemory(await file(), change(await recall()));
  };

  const gpus = once(async (): Promise<GpuDiscovery> => {
    const {memoryMiB} = coresAndMemory();
    // Without it there is nothing to ask, and so nothing to remember.
    if (listingProgram(env) === undefined) return discoverGpus(env, memoryMiB);
    const {devices} = await recall();
    if (!refresh && devices?.boot === bootId()) return devices.found;
    const found = await discoverGpus(env, memoryMiB);
    await rememberGpus(found);
    return found;
  });
  const rememberGpus = (found: GpuDiscovery): Promise<void> =>
    // Trouble with the driver may be over at any time.
    remember(({checks}) => (found.gpus.length === 0 ? {checks} : {devices: {boot: bootId(), found}, checks}));

  const tryEngine = async (engine: EngineName): Promise<EngineCheck> => {
    const installed = await versions();
    const missing = missingPackages(engine, installed);
    if (missing.length > 0) return lacking(engine, missing);
    const device = usesGpu(engine) ? deviceFor(engine, await gpus()) : undefined;
    if (device && 'works' in device) return device;
    const known = refresh ? undefined : (await recall()).checks[engine];
    if (known && (known.until ?? Infinity) > Date.now()) return known.check;
    onCheck(engine);
    const {runEngineCheck} = await import('./check.ts');
    const request = {engine, cacheDir, env, modules: modules(), versions: versionsFor(engine, installed)};
    const {check, transient} = await runEngineCheck({...request, ...device});
    const found = transient ? {check, until: Date.now() + transientMs} : {check};
    await remember((before) => ({...before, checks: {...before.checks, [engine]: found}}));
    return check;
  };
  const checks = new Map<EngineName, Promise<EngineCheck>>();
  const check = (engine: EngineName): Promise<EngineCheck> => {
    const checking = checks.get(engine) ?? tryEngine(engine);
    checks.set(engine, checking);
    return checking;
  };

  return {
    check,
    async devices(engine) {
      if (!usesGpu(engine)) return [];
      const found = await gpus();
      if (engine !== 'webgpu' || found.gpus.length > 0) return found.gpus;
      const adapter = await check(engine);
      return adapter.works ? [adapterDevice(adapter.adapter)] : [];
    },
    async learn(found) {
      if (listingProgram(env) === undefined) return false;
      const before = (await recall()).devices?.found;
      if (before === undefined || JSON.stringify(before.gpus) === JSON.stringify(found.gpus)) return false;
      await rememberGpus(found);
      return true;
    },
  };
}

/** The GPU to try an engine on, none for one that finds its adapter itself; or why there is none. */
function deviceFor(engine: EngineName, {gpus, notes, masked}: GpuDiscovery): {readonly gpu?: Gpu} | BrokenEngine {
  const [gpu] = gpus;
  if (engine === 'webgpu') {
    if (masked !== undefined) return {works: false, reason: masked};
    return gpu === undefined ? {} : {gpu};
  }
  if (gpu !== undefined) return {gpu};
  const reason = notes.find((note) => note.startsWith(noGpu))?.slice(noGpu.length);
  return {works: false, reason: `no NVIDIA GPU${reason === undefined ? '' : `: ${reason}`}`};
}

const noGpu = 'no GPU: ';

/** A GPU that only WebGPU reaches. It does not say how much memory it has: often it is the machine's. */
function adapterDevice(name = 'WebGPU adapter'): Gpu {
  return {uuid: 'webgpu', index: 0, name, memoryMiB: coresAndMemory().memoryMiB, api: 'webgpu'};
}

function lacking(engine: EngineName, missing: readonly string[]): BrokenEngine {
  const reason = `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not installed`;
  switch (engine) {
    case 'tensorflow-gpu':
    case 'tensorflow-cpu':
      return {
        works: false,
        reason: `${reason} (its library could not be downloaded; optional)`,
        hint: `where its library can be downloaded: npm install ${missing.join(' ')}`,
      };
    case 'webgpu':
      return {works: false, reason: `${reason} (optional)`, hint: `npm install ${missing.join(' ')}`};
    // Its script downloads CUDA libraries; where that fails, npm leaves the package out, and would again.
    case 'onnx-blas':
      return {works: false, reason, hint: 'ONNXRUNTIME_NODE_INSTALL=skip npm install'};
    case 'wasm':
    case 'cpu':
      return {works: false, reason, hint: 'install the packages again (npm ci)'};
  }
}

function once<T>(make: () => T): () => T {
  let made: {readonly value: T} | undefined;
  return () => (made ??= {value: make()}).value;
}
