import type {Kernel} from './kernel.ts';

/** Bytes of a kernel's memory beyond which its tables are dropped before more are made. */
const LARGEST_MEMORY = 2 ** 26;

/** Gives what `build` made for this key before, or calls it. The same key always means the same type. */
export type KeepTables = <Tables extends object>(key: string, build: () => Tables) => Tables;

/**
 * Keeps what a kernel has in its memory by name. A kernel frees nothing by itself, so all of it is dropped once it has grown
 * past 64 MiB: hold no tables across calls, and have one keeper for a kernel.
 */
export function keepTables(kernel: () => Kernel): KeepTables {
  const kept = new Map<string, object>();
  return <Tables extends object>(key: string, build: () => Tables) => {
    const found = kept.get(key);
    if (found !== undefined) return found as Tables;
    if (kernel().memory.buffer.byteLength > LARGEST_MEMORY) {
      kernel().release();
      kept.clear();
    }
    const tables = build();
    kept.set(key, tables);
    return tables;
  };
}
