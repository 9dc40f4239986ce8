import {keepResampleTables, resampleKernel} from './resample-kernel.ts';

/**
 * Output sample t lies at t * step / phases. It is the sum of `taps` samples from `before` samples before the whole part of
 * that, under the weights of the row that the rest gives: 0 ... phases - 1.
 */
export interface Taps {
  /** Names the weights: the same key, the same weights. */
  readonly key: string;
  readonly phases: number;
  readonly step: number;
  /** Weights in a row, a multiple of 4. */
  readonly taps: number;
  readonly before: number;
  /** Writes a row's weights; `weights` is the kernel's address of the same memory. */
  readonly assign: (row: number, target: Float64Array, weights: number) => void;
  /** 1 for an output sample on a whole sample that is to be seen as `phases` after the one before that. */
  readonly early?: Uint8Array;
}

/** Output samples in one call of the kernel. */
const CHUNK = 1024;
/** 16 MiB of weights: a larger bank is made row by row, each time one is used. */
const LARGEST_BANK = 2 ** 21;

/** `length` output samples. All is silence before the first and after the last input sample. */
export function applyTaps(samples: Float64Array, use: Taps, length: number): Float64Array {
  const kernel = resampleKernel();
  const tables = tablesOf(use);
  const {buffer} = kernel.memory;
  const {phases, step, taps, before} = use;
  const whole = Math.floor(step / phases);
  const rest = step % phases;
  const rowOffsets = new Uint32Array(buffer, tables.rowOffsets, CHUNK);
  const sampleOffsets = new Uint32Array(buffer, tables.sampleOffsets, CHUNK);
  const stage = new Float64Array(buffer, tables.samples, tables.room);
  const result = new Float64Array(length);
  let center = 0;
  let phase = 0;
  for (let first = 0; first < length; first += CHUNK) {
    const count = Math.min(CHUNK, length - first);
    const start = center - before - 1;
    for (let i = 0; i < count; i++) {
      const early = use.early?.[first + i] === 1;
      const row = early ? phases : phase;
      rowOffsets[i] = 8 * taps * rowPlace(use, tables, buffer, row, i);
      sampleOffsets[i] = 8 * (center - before - (early ? 1 : 0) - start);
      center += whole;
      phase += rest;
      if (phase >= phases) {
        phase -= phases;
        center++;
      }
    }
    const from = Math.min(Math.max(0, start), samples.length);
    const to = Math.min(Math.max(0, start + tables.room), samples.length);
    stage.fill(0, 0, Math.max(0, from - start));
    stage.set(samples.subarray(from, to), Math.max(0, from - start));
    stage.fill(0, Math.max(0, to - start));
    kernel.multiplyTaps(
      tables.bank,
      tables.rowOffsets,
      tables.samples,
      tables.sampleOffsets,
      taps,
      tables.output,
      count,
    );
    result.set(new Float64Array(buffer, tables.output, count), first);
  }
  return result;
}

/** Where a row lies in the bank, after writing it if it is not there. */
function rowPlace({taps, assign}: Taps, {bank, assigned}: Tables, buffer: ArrayBuffer, row: number, i: number): number {
  const place = assigned === undefined ? i : row;
  if (assigned?.[row] === 1) return place;
  const weights = bank + 8 * taps * place;
  assign(row, new Float64Array(buffer, weights, taps), weights);
  if (assigned !== undefined) assigned[row] = 1;
  return place;
}

/** Addresses in the kernel's memory. */
interface Tables {
  readonly bank: number;
  /** 1 for each row that is there; undefined where the bank holds the rows of one chunk only. */
  readonly assigned: Uint8Array | undefined;
  readonly rowOffsets: number;
  readonly sampleOffsets: number;
  readonly samples: number;
  /** Samples that fit there: those of one chunk. */
  readonly room: number;
  readonly output: number;
}

function tablesOf({key, phases, step, taps}: Taps): Tables {
  return keepResampleTables(`taps ${key}`, () => {
    const kernel = resampleKernel();
    const rows = phases + 1;
    const whole = rows * taps <= LARGEST_BANK;
    const room = Math.ceil((CHUNK * step) / phases) + taps + 2;
    return {
      bank: kernel.allocate(8 * taps * (whole ? rows : CHUNK)),
      assigned: whole ? new Uint8Array(rows) : undefined,
      rowOffsets: kernel.allocate(4 * CHUNK),
      sampleOffsets: kernel.allocate(4 * CHUNK),
      samples: kernel.allocate(8 * room),
      room,
      output: kernel.allocate(8 * CHUNK),
    };
  });
}
