import type {Gpu, Resources} from './resources.ts';

/**
 * Classes of tensor engines. Results of one class repeat; those of two agree only within tolerances, so the class is in
 * the key of stages that declare `numericBackend`.
 */
export type EngineName = 'tensorflow-gpu' | 'tensorflow-cpu' | 'webgpu' | 'onnx-blas' | 'wasm' | 'cpu';

/** Engines for nodes that get a GPU, the preferred one first. */
export const gpuEngines: readonly EngineName[] = ['tensorflow-gpu', 'webgpu'];

/** Engines for all other nodes, the preferred one first. */
export const cpuEngines: readonly EngineName[] = ['tensorflow-cpu', 'onnx-blas', 'wasm', 'cpu'];

export const engineNames: readonly EngineName[] = [
  'tensorflow-gpu',
  'tensorflow-cpu',
  'webgpu',
  'onnx-blas',
  'wasm',
  'cpu',
];

/** Name of the stage that tries an engine. */
export const checkStage = 'engine-check';

export function isEngineName(name: string): name is EngineName {
  return (engineNames as readonly string[]).includes(name);
}

export function usesGpu(engine: EngineName): boolean {
  return gpuEngines.includes(engine);
}

/** The npm packages that an engine needs: of each list, any one. */
export const enginePackages: Readonly<Record<EngineName, readonly (readonly string[])[]>> = {
  'tensorflow-gpu': [['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']],
  'tensorflow-cpu': [['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']],
  webgpu: [['webgpu'], ['@tensorflow/tfjs-backend-webgpu']],
  'onnx-blas': [['onnxruntime-node'], ['@tensorflow/tfjs-backend-wasm']],
  wasm: [['@tensorflow/tfjs-backend-wasm']],
  cpu: [['@tensorflow/tfjs-backend-cpu']],
};

/** What is known of an engine on this machine. */
export type EngineCheck = WorkingEngine | BrokenEngine;

export interface WorkingEngine {
  readonly works: true;
  /** Name to version of the packages that compute. */
  readonly versions: Readonly<Record<string, string>>;
  /** Name of the GPU that computes, as the engine calls it. */
  readonly adapter?: string;
  /** The adapter is a program that stands for a GPU: right, but slow. */
  readonly software?: true;
  /** Speed of a product of two 512 x 512 matrices on one core or the GPU, in 10^9 operations a second. */
  readonly gflops: number;
  /** Time from the start of its process to the end of the check. */
  readonly wallMs: number;
}

export interface BrokenEngine {
  readonly works: false;
  /** Why not, as the end of a sentence. */
  readonly reason: string;
  readonly hint?: string;
}

/**
 * What a node asks for once its engine is decided. An engine for the CPU takes no GPU away from others; one for GPUs never
 * runs without: the key says that it computed the result.
 */
export function resourcesFor(resources: Resources, engine: EngineName | undefined): Resources {
  if (engine === undefined) return resources;
  const {gpuMemoryMiB: _, ...rest} = resources;
  if (!usesGpu(engine)) return {...rest, gpu: 0};
  return {
    ...resources,
    gpu: resources.gpu === 0 ? 1 : resources.gpu,
    whenNoGpu: 'fail',
    ...(engine === 'webgpu' ? {api: 'webgpu'} : {}),
  };
}

/** True when as many of the devices as are asked for are large enough. */
export function areEnough(devices: readonly Gpu[], {gpu, gpuMemoryMiB = 0}: Resources): boolean {
  const capable = devices.filter(({memoryMiB}) => memoryMiB >= gpuMemoryMiB);
  return capable.length >= Math.max(1, Math.floor(gpu));
}
