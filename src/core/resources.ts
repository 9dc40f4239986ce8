/** What a node needs while it runs. Never part of a key. */
export interface Resources {
  /** Cores; the tensor engine is told to use no more. */
  readonly cpu: number;
  readonly memoryMiB?: number;
  /** Whole devices, or a fraction below 1 to share one. */
  readonly gpu: number;
  readonly gpuMemoryMiB?: number;
  readonly whenNoGpu: 'cpu' | 'fail';
  /** How the job reaches its device, when not by CUDA; such jobs can use both kinds of devices. */
  readonly api?: 'webgpu';
}

export const defaultResources: Resources = {cpu: 1, gpu: 0, whenNoGpu: 'cpu'};

/** A GPU as discovered. `uuid` is what CUDA_VISIBLE_DEVICES is set to. */
export interface Gpu {
  readonly uuid: string;
  readonly index: number;
  readonly name: string;
  readonly memoryMiB: number;
  /** Set for a device that CUDA does not reach. */
  readonly api?: 'webgpu';
}

/** What this machine offers to a run. */
export interface Machine {
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly gpus: readonly Gpu[];
}

/** A temporary right to use part of a machine. */
export interface Lease {
  readonly cpu: number;
  readonly memoryMiB: number;
  /** Devices granted, empty for the CPU. */
  readonly gpus: readonly Gpu[];
  /** For people: `cpu`, `gpu0`, `gpu0+gpu1`. */
  readonly device: string;
  /** Set when a cluster provides it: its own scheduler chooses the host and the devices. */
  readonly cluster?: ClusterShare;
}

/** What is asked of a cluster besides cores and memory. */
export interface ClusterShare {
  readonly executor: 'slurm';
  /** Whole devices. */
  readonly gpu: number;
}
