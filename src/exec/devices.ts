import {execFile} from 'node:child_process';
import {accessSync, constants, readFileSync} from 'node:fs';
import {availableParallelism, totalmem} from 'node:os';
import {delimiter, join} from 'node:path';
import type {Gpu, Machine} from '../core/resources.ts';
import {readCgroupLimits} from './cgroup.ts';
import type {Environment} from './environment.ts';
import {listArguments, parseQuery, queryArguments, visibleDevices, withInstances} from './nvidia-smi.ts';

export interface DiscoverOptions {
  readonly env: Environment;
  /** Cores to offer, whatever the machine has. */
  readonly cpuOverride?: number;
}

export interface Discovery {
  readonly machine: Machine;
  /** What people may want to know: why there is no GPU, which device id does not exist. */
  readonly notes: readonly string[];
}

/** Longest time for an answer of nvidia-smi, in milliseconds: a GPU in trouble can make it hang. */
const queryTimeoutMs = 5000;

/**
 * What this machine offers: cores and memory within the limits of CPU affinity and control groups, and the NVIDIA GPUs
 * that CUDA_VISIBLE_DEVICES lets this program see. Starts no process where nvidia-smi is not on PATH.
 */
export async function discoverMachine({env, cpuOverride}: DiscoverOptions): Promise<Discovery> {
  const limits = readCgroupLimits(readText);
  const cpu = cpuOverride ?? Math.max(1, Math.min(availableParallelism(), Math.ceil(limits.cpu ?? Infinity)));
  const memoryMiB = Math.floor(Math.min(totalmem(), limits.memoryBytes ?? Infinity) / 1024 ** 2);
  const {gpus, notes} = await discoverGpus(env, memoryMiB);
  return {machine: {cpu, memoryMiB, gpus}, notes};
}

interface GpuDiscovery {
  readonly gpus: readonly Gpu[];
  readonly notes: readonly string[];
}

async function discoverGpus(env: Environment, memoryMiB: number): Promise<GpuDiscovery> {
  const visible = env['CUDA_VISIBLE_DEVICES'];
  if (visible !== undefined && /^\s*(-1\s*(,.*)?)?$/.test(visible)) {
    return none(`CUDA_VISIBLE_DEVICES is set to "${visible}"`);
  }
  const program = findProgram('nvidia-smi', env['PATH']);
  if (program === undefined) return none('nvidia-smi is not on PATH');
  const [query, listing] = await Promise.all([ask(program, queryArguments, env), ask(program, listArguments, env)]);
  const gpus = parseQuery(query.text, memoryMiB);
  if (gpus.length === 0) return none(`nvidia-smi ${query.problem ?? `lists none: ${firstLine(query.text)}`}`);
  const {devices, unknown} = visibleDevices(withInstances(gpus, listing.text), visible);
  if (unknown === undefined) return {gpus: devices, notes: []};
  const note = `CUDA_VISIBLE_DEVICES names ${unknown}, which does not exist: that device and those after it are not used`;
  return {gpus: devices, notes: devices.length === 0 ? [note, 'no GPU: none is left'] : [note]};
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

function ask(program: string, args: readonly string[], env: Environment): Promise<Reply> {
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
