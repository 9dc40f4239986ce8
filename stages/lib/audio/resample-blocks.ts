import {keepResampleTables, resampleKernel} from './resample-kernel.ts';

/** `up` output samples for each `down` input samples, nothing above `band` times the input's Nyquist frequency. */
export interface BandLimitedRatio {
  readonly up: number;
  readonly down: number;
  readonly band: number;
}

/** Half the length of the band filter in samples of the lower rate: see assembly/resample.ts. */
const HALF_WIDTH = 202;
/** Blocks that the kernel transforms at once. */
const AT_ONCE = 4;
/** Points of their largest transform: 8 MiB. */
const LARGEST_BLOCK = 2 ** 18;
/** Times the overlap: longer blocks gain nothing. */
const LONGEST = 16;

/**
 * Whether `resampleBlocks` can: whether both terms of the ratio have no prime factor but 2, 3, 5 and 7, and are small enough.
 */
export function fitsBlocks(ratio: BandLimitedRatio): boolean {
  return bestShape(ratio) !== undefined;
}

/**
 * Samples `first` ... `first + length - 1` of the input at the new rate; sample n lies at input sample n * down / up, and
 * all is silence before the first and after the last input sample. The ratio must be in lowest terms.
 *
 * By overlapping blocks of b * down samples: transform, multiply by the filter's response, keep the bins that b * up samples
 * have, transform back, keep the middle. This is the filter's convolution itself but for what the filter lets through beyond
 * the lower Nyquist frequency (-240 dB), so that the place of the blocks leaves no trace.
 */
export function resampleBlocks(
  samples: Float64Array,
  ratio: BandLimitedRatio,
  first: number,
  length: number,
): Float64Array {
  const {up, down} = ratio;
  const kernel = resampleKernel();
  const {shape, plan, input, output} = tablesOf(ratio);
  const {points, hop, margin} = shape;
  const skip = Math.ceil((margin * up) / down);
  const count = (hop / down) * up;
  // In steps of the ratio, so that every block starts on a whole sample of both rates.
  const lead = Math.ceil((skip - first) / up);
  const staged = (AT_ONCE - 1) * hop + points;
  const result = new Float64Array(length);
  let start = -lead * down;
  for (let at = skip - lead * up - first; at < length; at += AT_ONCE * count) {
    const from = Math.min(Math.max(0, start), samples.length);
    const to = Math.min(Math.max(0, start + staged), samples.length);
    const stage = new Float64Array(kernel.memory.buffer, input, staged + 1);
    stage.fill(0, 0, Math.max(0, from - start));
    stage.set(samples.subarray(from, to), Math.max(0, from - start));
    stage.fill(0, Math.max(0, to - start));
    kernel.resampleBlocks(plan, input, hop, skip, count, output);
    const done = new Float64Array(kernel.memory.buffer, output, AT_ONCE * count);
    result.set(done.subarray(Math.max(0, -at), Math.max(0, length - at)), Math.max(0, at));
    start += AT_ONCE * hop;
  }
  return result;
}

/** A block: its points, how many of them are new in each block, how many must lie on both sides of a sample. */
interface Shape {
  readonly points: number;
  readonly hop: number;
  readonly margin: number;
}

interface Tables {
  readonly shape: Shape;
  readonly plan: number;
  readonly input: number;
  readonly output: number;
}

function tablesOf(ratio: BandLimitedRatio): Tables {
  const {up, down, band} = ratio;
  return keepResampleTables(`blocks ${up}/${down} ${band}`, () => {
    const shape = bestShape(ratio);
    if (shape === undefined) throw new RangeError(`no blocks fit ${up}/${down}`);
    const kernel = resampleKernel();
    const {points, hop} = shape;
    return {
      shape,
      plan: kernel.createPlan(points, (points / down) * up, band),
      input: kernel.allocate(8 * ((AT_ONCE - 1) * hop + points + 1)),
      output: kernel.allocate(8 * AT_ONCE * (hop / down) * up),
    };
  });
}

/** The shape of least work for each new sample. */
function bestShape({up, down, band}: BandLimitedRatio): Shape | undefined {
  const margin = Math.ceil(HALF_WIDTH / band);
  const overlap = Math.ceil((2 * margin + 1) / down);
  const most = Math.min(LONGEST * overlap, LARGEST_BLOCK / Math.max(up, down));
  let best: Shape | undefined;
  let least = Infinity;
  for (let blocks = overlap + 1; blocks <= most; blocks++) {
    const hop = (blocks - overlap) * down;
    const work = (workOf(blocks * down) + workOf(blocks * up)) / hop;
    if (work >= least) continue;
    least = work;
    best = {points: blocks * down, hop, margin};
  }
  return best;
}

/** Nanoseconds a point and pass, as measured; laying out and collecting apart. */
const PASSES = [
  [7, 1.9],
  [5, 1.2],
  [3, 0.8],
  [4, 0.65],
  [2, 0.5],
] as const;

function workOf(points: number): number {
  let rest = points;
  let each = 1.5;
  for (const [radix, work] of PASSES) {
    for (; rest % radix === 0; rest /= radix) each += work;
  }
  return rest === 1 ? points * each : Infinity;
}
