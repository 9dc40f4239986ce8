import {readFileSync} from 'node:fs';

/** Watches the memory of a program and its children. The kernel tells only their parent, and only of one process. */
export interface MemorySampler {
  watch(pid: number): void;
  stop(): void;
  /** Largest sum of resident sets seen, in bytes; 0 when nothing was seen (a short program, or no /proc). */
  peakBytes(): number;
}

/** A program that ends sooner is not measured. */
const firstMs = 50;
const intervalMs = 500;

export function createMemorySampler(): MemorySampler {
  let peak = 0;
  let timer: NodeJS.Timeout | undefined;
  const sample = (pid: number, delayMs: number): void => {
    timer = setTimeout(() => {
      peak = Math.max(peak, residentBytes(pid));
      sample(pid, intervalMs);
    }, delayMs).unref();
  };
  return {
    watch: (pid) => sample(pid, firstMs),
    stop: () => clearTimeout(timer),
    peakBytes: () => peak,
  };
}

/** Resident sets of a process and everything below it; pages that they share count more than once. */
export function residentBytes(pid: number): number {
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0;
  const children = readText(`/proc/${pid}/task/${pid}/children`).split(' ').map(Number);
  return children
    .filter((child) => child > 0)
    .reduce((sum, child) => sum + residentBytes(child), Number(resident) * 1024);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
