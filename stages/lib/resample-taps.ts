import {keepResampleTables, resampleKernel} from './resample-kernel.ts';

/** How to weigh samples for output sample t: `weights[i]` of bank row `row(t)` belongs to sample `start(t) + i`. */
export interface Taps {
  /** Names the bank: the same key, the same rows. */
  readonly key: string;
  readonly rows: number;
  /** Weights in a row, a multiple of 4. */
  readonly taps: number;
  /** Samples from one output sample to the next, on average. */
  readonly step: number;
  /** Writes a row's weights; `weights` is the kernel's address of the same memory. */
  assign(row: number, target: Float64Array, weights: number): void;
  row(t: number): number;
  /** May lie before the first sample and reach beyond the last: there is silence. Never falls. */
  start(t: number): number;
}

/** Output samples in one call of the kernel. */
const CHUNK = 1024;
/** 16 MiB of weights: a larger bank is made row by row, each time one is used. */
const LARGEST_BANK = 2 ** 21;

/** `length` output samples, each a weighted sum of samples around it. */
export function applyTaps(samples: Float64Array, use: Taps, length: number): Float64Array {
  const kernel = resampleKernel();
  const tables = tablesOf(use);
  const {buffer} = kernel.memory;
  const result = new Float64Array(length);
  for (let first = 0; first < length; first += CHUNK) {
    const count = Math.min(CHUNK, length - first);
    const start = use.start(first);
    const staged = use.start(first + count - 1) - start + use.taps;
    const rowOffsets = new Uint32Array(buffer, tables.rowOffsets, count);
    const sampleOffsets = new Uint32Array(buffer, tables.sampleOffsets, count);
    for (let i = 0; i < count; i++) {
      const row = use.row(first + i);
      const place = tables.assigned === undefined ? i : row;
      if (tables.assigned?.[row] !== 1) {
        const weights = tables.bank + 8 * use.taps * place;
        use.assign(row, new Float64Array(buffer, weights, use.taps), weights);
        if (tables.assigned !== undefined) tables.assigned[row] = 1;
      }
      rowOffsets[i] = 8 * use.taps * place;
      sampleOffsets[i] = 8 * (use.start(first + i) - start);
    }
    const stage = new Float64Array(buffer, tables.samples, staged);
    const from = Math.min(Math.max(0, start), samples.length);
    const to = Math.min(Math.max(0, start + staged), samples.length);
    stage.fill(0);
    if (to > from) stage.set(samples.subarray(from, to), from - start);
    const {bank, output} = tables;
    kernel.multiplyTaps(bank, tables.rowOffsets, tables.samples, tables.sampleOffsets, use.taps, output, count);
    result.set(new Float64Array(buffer, output, count), first);
  }
  return result;
}

/** Addresses in the kernel's memory. */
interface Tables {
  readonly bank: number;
  /** 1 for each row that is there; undefined where the bank holds the rows of one chunk only. */
  readonly assigned: Uint8Array | undefined;
  readonly rowOffsets: number;
  readonly sampleOffsets: number;
  readonly samples: number;
  readonly output: number;
}

function tablesOf({key, rows, taps, step}: Taps): Tables {
  return keepResampleTables(`taps ${key}`, () => {
    const kernel = resampleKernel();
    const whole = rows * taps <= LARGEST_BANK;
    return {
      bank: kernel.allocate(8 * taps * (whole ? rows : CHUNK)),
      assigned: whole ? new Uint8Array(rows) : undefined,
      rowOffsets: kernel.allocate(4 * CHUNK),
      sampleOffsets: kernel.allocate(4 * CHUNK),
      samples: kernel.allocate(8 * (Math.ceil(CHUNK * step) + taps + 2)),
      output: kernel.allocate(8 * CHUNK),
    };
  });
}
