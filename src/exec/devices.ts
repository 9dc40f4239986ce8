import {accessSync, constants, readFileSync} from 'node:fs';
import {availableParallelism, totalmem} from 'node:os';
import {delimiter, join} from 'node:path';
import type {Gpu, Machine} from '../core/resources.ts';
import {readCgroupLimits} from './cgroup.ts';
import type {Environment} from './environment.ts';
import {
  listArguments,
  parseQuery,
  queryArguments,
  visibleDevices,
  withInstances,
  type ListedGpu,
} from './nvidia-smi.ts';

export interface DiscoverOptions {
  readonly env: Environment;
  /** Cores to offer, whatever the machine has. */
  readonly cpuOverride?: number;
}

export interface Discovery extends Pick<GpuDiscovery, 'notes' | 'masked'> {
  readonly machine: Machine;
}

/** The GPUs that this program may use. */
export interface GpuDiscovery {
  readonly gpus: readonly Gpu[];
  /** What people may want to know: why there is no GPU, which device id does not exist. */
  readonly notes: readonly string[];
  /**
   * Set when a library that picks its device itself, as WebGPU does, might pick one that this program was not given: why.
   */
  readonly masked?: string;
}

/** Longest time for an answer of nvidia-smi, in milliseconds: a GPU in trouble can make it hang. */
const queryTimeoutMs = 5000;

/**
 * What this machine offers: cores and memory within the limits of CPU affinity and control groups, and the NVIDIA GPUs
 * that CUDA_VISIBLE_DEVICES lets this program see. Starts no process where nvidia-smi is not on PATH.
 */
export async function discoverMachine({env, cpuOverride}: DiscoverOptions): Promise<Discovery> {
  const limits = coresAndMemory();
  const {gpus, ...rest} = await discoverGpus(env, limits.memoryMiB);
  return {machine: {...limits, ...(cpuOverride === undefined ? {} : {cpu: cpuOverride}), gpus}, ...rest};
}

/** What this process may use of the cores and the memory. */
export function coresAndMemory(): Pick<Machine, 'cpu' | 'memoryMiB'> {
  const limits = readCgroupLimits(readText);
  return {
    cpu: Math.max(1, Math.min(availableParallelism(), Math.ceil(limits.cpu ?? Infinity))),
    memoryMiB: Math.floor(Math.min(totalmem(), limits.memoryBytes ?? Infinity) / 1024 ** 2),
  };
}

/** The program that lists the GPUs, when there is one: without it there are none for CUDA. */
export function listingProgram(env: Environment): string | undefined {
  return findProgram('nvidia-smi', env['PATH']);
}

/** @param memoryMiB - of the machine, for GPUs that share it */
export async function discoverGpus(env: Environment, memoryMiB: number): Promise<GpuDiscovery> {
  const visible = env['CUDA_VISIBLE_DEVICES'];
  if (visible !== undefined && /^\s*(-1\s*(,.*)?)?$/.test(visible)) {
    const reason = `CUDA_VISIBLE_DEVICES is set to "${visible}"`;
    return {...none(reason), masked: reason};
  }
  const program = listingProgram(env);
  if (program === undefined) return none('nvidia-smi is not on PATH');
  const [query, listing] = await Promise.all([ask(program, queryArguments, env), ask(program, listArguments, env)]);
  const gpus = parseQuery(query.text, memoryMiB);
  if (gpus.length === 0) return none(`nvidia-smi ${query.problem ?? `lists none: ${firstLine(query.text)}`}`);
  const listed = withInstances(gpus, listing.text);
  const {devices, unknown} = visibleDevices(listed, visible);
  const notes: string[] = [];
  if (unknown !== undefined) {
    notes.push(
      `CUDA_VISIBLE_DEVICES names ${unknown}, which does not exist: that device and those after it are not used`,
    );
    if (devices.length === 0) notes.push('no GPU: none is left');
  }
  if (isOrderDoubtful(listed, visible, env['CUDA_DEVICE_ORDER'])) {
    notes.push(
      'CUDA_VISIBLE_DEVICES names GPUs of different kinds by number, taken here in the order of the PCI bus: ' +
        'set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name them by UUID',
    );
  }
  const masked = maskOf(listed, devices);
  return {gpus: devices, notes, ...(masked === undefined ? {} : {masked})};
}

/** CUDA counts the fastest GPU first unless it is told otherwise; nvidia-smi goes by the PCI bus. */
function isOrderDoubtful(listed: readonly ListedGpu[], visible = '', order = ''): boolean {
  const kinds = new Set(listed.map(({name}) => name));
  return kinds.size > 1 && /(^|,)\s*\d/.test(visible) && order !== 'PCI_BUS_ID';
}

/** Why a library that asks nobody might take a device that is not this program's. */
function maskOf(listed: readonly ListedGpu[], devices: readonly Gpu[]): string | undefined {
  if (listed.length > 1) return 'it cannot be told which of several GPUs to use';
  const [gpu] = listed;
  if (gpu !== undefined && gpu.instances.length > 0) return 'it cannot be told which part of a divided GPU to use';
  return devices.length === 0 ? 'CUDA_VISIBLE_DEVICES hides the GPU' : undefined;
}

function none(reason: string): GpuDiscovery {
  return {gpus: [], notes: [`no GPU: ${reason}`]};
}

/** Full path of a program that PATH leads to. */
function findProgram(name: string, path: string | undefined): string | undefined {
  for (const folder of (path ?? '').split(delimiter)) {
    if (folder === '') continue;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

interface Reply {
  readonly text: string;
  /** What went wrong, as the end of a sentence. */
  readonly problem?: string;
}

async function ask(program: string, args: readonly string[], env: Environment): Promise<Reply> {
  // Loaded here: what is remembered of the GPUs needs no process.
  const {execFile} = await import('node:child_process');
  return new Promise((resolve) => {
    const options = {timeout: queryTimeoutMs, killSignal: 'SIGKILL', env: {...env}} as const;
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (!error) resolve({text: stdout});
      else if (error.killed) resolve({text: stdout, problem: `did not answer within ${queryTimeoutMs / 1000} s`});
      else resolve({text: stdout, problem: `failed: ${firstLine(stdout) || firstLine(stderr) || error.message}`});
    });
  });
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
