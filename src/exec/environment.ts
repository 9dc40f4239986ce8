import type {CommandSpec} from '../core/pipeline.ts';
import type {Job} from '../core/ports.ts';
import type {Lease} from '../core/resources.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What finds programs, libraries, the user's folders and devices. Nothing here should change a result. */
const workerNames =
  'PATH HOME USER LOGNAME SHELL TMPDIR TZ LD_LIBRARY_PATH DYLD_LIBRARY_PATH CUDA_HOME CUDA_PATH CUDA_CACHE_PATH ' +
  'XDG_CACHE_HOME XDG_DATA_DIRS XDG_RUNTIME_DIR VK_ICD_FILENAMES VK_DRIVER_FILES NVIDIA_DRIVER_CAPABILITIES ' +
  'NVIDIA_VISIBLE_DEVICES';
const commandNames = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TZ'];

const locale = {LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8'};

/** Cores that libraries may use under this lease: at least one, whole. */
export function threadsOf(lease: Lease): number {
  return Math.max(1, Math.floor(lease.cpu));
}

/** Variables that tell libraries about the lease. They are read when a library loads, so they are set before. */
function leaseEnvironment(lease: Lease): Readonly<Record<string, string>> {
  const threads = String(threadsOf(lease));
  return {
    CUDA_VISIBLE_DEVICES: cudaDevices(lease),
    OMP_NUM_THREADS: threads,
    OPENBLAS_NUM_THREADS: threads,
    MKL_NUM_THREADS: threads,
    VECLIB_MAXIMUM_THREADS: threads,
    NUMEXPR_NUM_THREADS: threads,
  };
}

function cudaDevices({gpus}: Lease): string {
  const uuids = gpus.flatMap(({uuid, api}) => (api === undefined ? [uuid] : []));
  return uuids.length === 0 ? '-1' : uuids.join(',');
}

/**
 * What a stage's libraries are told, wherever it runs. TensorFlow takes GPU memory as it needs it, since devices are shared;
 * its kernels, and those of cuBLAS, are the ones whose results repeat; and products keep the precision of float32 on GPUs
 * that could do with less.
 */
export function stageEnvironment(lease: Lease): Readonly<Record<string, string>> {
  return {
    ...leaseEnvironment(lease),
    TF_NUM_INTRAOP_THREADS: String(threadsOf(lease)),
    TF_NUM_INTEROP_THREADS: '1',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    TF_DETERMINISTIC_OPS: '1',
    TF_CUDNN_DETERMINISTIC: '1',
    CUBLAS_WORKSPACE_CONFIG: ':4096:8',
    NVIDIA_TF32_OVERRIDE: '0',
    TF_CPP_MIN_LOG_LEVEL: '2',
    // The version in use reports nothing to its maker; later ones would.
    ORT_DISABLE_TELEMETRY: '1',
  };
}

/** Environment of a worker process. `passEnv` names more variables to hand on. */
export function workerEnvironment(env: Environment, lease: Lease, passEnv: readonly string[]): Record<string, string> {
  return {...pick(env, [...workerNames.split(' '), ...passEnv]), ...locale, ...stageEnvironment(lease)};
}

/** Folders of this machine, which another has not. */
const homebound = new Set(['TMPDIR', 'XDG_RUNTIME_DIR']);

/** What a job may see of this environment on another machine. */
export function travellingEnvironment(env: Environment, passEnv: readonly string[]): Record<string, string> {
  const names = [...workerNames.split(' '), ...commandNames].filter((name) => !homebound.has(name));
  return pick(env, [...names, ...passEnv]);
}

/** Environment of a command, without the variables that the pipeline only names (`passEnv`). */
export function commandEnvironment(
  env: Environment,
  job: Job,
  command: CommandSpec,
  tmp: string,
): Record<string, string> {
  return {
    ...pick(env, commandNames),
    ...locale,
    TMPDIR: tmp,
    MIXDOWN_SEED: String(job.seed),
    MIXDOWN_THREADS: String(threadsOf(job.lease)),
    ...leaseEnvironment(job.lease),
    ...command.env,
  };
}

export function pick(env: Environment, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = env[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/** The command line of a command; a shell form ends in `-c SCRIPT`. */
export function commandLine(command: CommandSpec): readonly string[] {
  return command.form === 'argv' ? command.argv : [...command.shell, '-c', command.script];
}
