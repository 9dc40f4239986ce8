/** Text of a small file, undefined when it cannot be read. */
export type ReadText = (path: string) => string | undefined;

/** What the control groups of this process allow; absent where they set no limit. */
export interface CgroupLimits {
  /** Cores' worth of time; may be a fraction. */
  readonly cpu?: number;
  readonly memoryBytes?: number;
}

const root = '/sys/fs/cgroup';

/** Above this many bytes a memory limit stands for "none" (version 1 writes a number near 2^63). */
const noLimit = 2 ** 60;

/**
 * Reads the limits of version 1 and version 2 groups, the smallest on the way from this process's group to the root.
 * In a container the group's path may be that of the host; then only the root, which is the container's own, is found.
 */
export function readCgroupLimits(read: ReadText): CgroupLimits {
  const cpus: number[] = [];
  const memories: number[] = [];
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const names = controllers.split(',');
    for (const group of ancestors(path)) {
      if (controllers === '') {
        for (const base of [root, `${root}/unified`]) {
          cpus.push(quota(...fields(read(`${base}${group}/cpu.max`))));
          memories.push(Number(read(`${base}${group}/memory.max`)));
        }
      }
      if (names.includes('cpu')) {
        const base = `${root}/cpu${group}`;
        cpus.push(quota(read(`${base}/cpu.cfs_quota_us`), read(`${base}/cpu.cfs_period_us`)));
      }
      if (names.includes('memory')) memories.push(Number(read(`${root}/memory${group}/memory.limit_in_bytes`)));
    }
  }
  const cpu = Math.min(...cpus.filter((value) => value > 0));
  const memoryBytes = Math.min(...memories.filter((value) => value > 0 && value < noLimit));
  return {...(cpu < Infinity ? {cpu} : {}), ...(memoryBytes < Infinity ? {memoryBytes} : {})};
}

/** `/a/b` gives `/a/b`, `/a` and the empty path of the root. */
function ancestors(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return Array.from({length: parts.length + 1}, (_, index) => {
    const kept = parts.slice(0, parts.length - index);
    return kept.map((part) => `/${part}`).join('');
  });
}

/** Cores from microseconds of time per period; NaN without a limit (`max`, -1 or no file). */
function quota(limit: string | undefined, period: string | undefined): number {
  const cores = Number(limit) / Number(period);
  return cores > 0 ? cores : Number.NaN;
}

function fields(text: string | undefined): [string | undefined, string | undefined] {
  const [first, second] = (text ?? '').trim().split(/\s+/);
  return [first, second];
}
