// Log-mel frames, four at a time: a pair of frames is one complex signal (their spectra are told apart by symmetry), and two
// pairs go through the transform at once, one per lane.
import {Fft, POINT, createFft, forward, orderOf} from './fft';
import {logarithms} from './logarithm';

export {allocate, release} from './memory';

/** Where things lie and what they measure. All addresses are multiples of 16. */
@unmanaged
class Plan {
  fft: Fft;
  /** Points of the transform: two pairs of frames. */
  data: usize;
  /** f64, `windowLength` of them and a 0 where that is odd. */
  window: usize;
  windowLength: i32;
  /** Samples from one frame to the next. */
  hop: i32;
  bands: i32;
  /** Of each interval between two band edges, `bands` + 1 of them, the first bin; then the end of the last. i32. */
  starts: usize;
  /** Of each bin from the first interval on: its weight in the band that rises there, and in the one that falls. f64. */
  weights: usize;
  logOffset: f64;
  /** Of each band, the four frames' sums and then their logarithms, in the order 0, 2, 1, 3. f64. */
  sums: usize;
}

/** `bins`: how many bins have weights. The caller fills the areas at `windowOf`, `startsOf` and `weightsOf`. */
export function createPlan(size: i32, windowLength: i32, hop: i32, bands: i32, bins: i32, logOffset: f64): Plan {
  const plan = changetype<Plan>(heap.alloc(offsetof<Plan>()));
  plan.fft = createFft(size);
  plan.data = heap.alloc(<usize>size * POINT);
  plan.window = heap.alloc(<usize>(windowLength + 1) << 3);
  plan.windowLength = windowLength;
  plan.hop = hop;
  plan.bands = bands;
  plan.starts = heap.alloc(<usize>(bands + 2) << 2);
  plan.weights = heap.alloc(<usize>bins << 4);
  plan.logOffset = logOffset;
  plan.sums = heap.alloc(<usize>bands << 5);
  return plan;
}

export function windowOf(plan: Plan): usize {
  return plan.window;
}

export function startsOf(plan: Plan): usize {
  return plan.starts;
}

export function weightsOf(plan: Plan): usize {
  return plan.weights;
}

/**
 * Writes float32 rows of `bands` values for frames 0, 1 ... of `samples`, four frames a group. Reads one sample more than the
 * frames have, so there must be room (its value does not count, but it must be a number).
 */
export function logMel(plan: Plan, samples: usize, values: usize, groups: i32): void {
  const step = <usize>plan.hop << 5;
  const row = <usize>plan.bands << 4;
  for (; groups > 0; groups--) {
    takeFrames(plan, samples);
    forward(plan.fft, plan.data);
    sumBands(plan);
    logarithms(plan.sums, plan.bands << 2);
    writeRows(plan, values);
    samples += step;
    values += row;
  }
}

/** Windowed frames 0 and 2 as the real parts, 1 and 3 as the imaginary parts of the two lanes; zeros behind them. */
function takeFrames(plan: Plan, samples: usize): void {
  const hop = <usize>plan.hop << 3;
  let point = plan.data;
  let window = plan.window;
  for (const end = window + (<usize>plan.windowLength << 3); window < end; window += 16) {
    const even = v128.load64_splat(window);
    const odd = v128.load64_splat(window, 8);
    const a = v128.load(samples);
    const b = v128.load(samples + hop);
    const c = v128.load(samples + 2 * hop);
    const d = v128.load(samples + 3 * hop);
    v128.store(point, f64x2.mul(v128.shuffle<f64>(a, c, 0, 2), even));
    v128.store(point, f64x2.mul(v128.shuffle<f64>(b, d, 0, 2), even), 16);
    v128.store(point, f64x2.mul(v128.shuffle<f64>(a, c, 1, 3), odd), 32);
    v128.store(point, f64x2.mul(v128.shuffle<f64>(b, d, 1, 3), odd), 48);
    samples += 16;
    point += 2 * POINT;
  }
  memory.fill(point, 0, plan.data + <usize>plan.fft.size * POINT - point);
}

/**
 * A bin lies between two edges: there one band rises and the one before it falls, so both are summed up in one go. The
 * spectra of the frames of a pair at bin k are half the sum and half the difference of the points k and size - k, the
 * latter conjugated; the half is in the weights.
 */
function sumBands(plan: Plan): void {
  const fft = plan.fft;
  const data = plan.data;
  const size = fft.size;
  const bands = plan.bands;
  const offset = f64x2.splat(plan.logOffset);
  let sums = plan.sums;
  let starts = plan.starts;
  let weights = plan.weights;
  let bin = load<i32>(starts);
  let rising1 = f64x2.splat(0);
  let rising2 = rising1;
  for (let band = -1; band < bands; band++) {
    const first1 = rising1;
    const first2 = rising2;
    let falling1 = f64x2.splat(0);
    let falling2 = falling1;
    rising1 = falling1;
    rising2 = falling1;
    starts += 4;
    for (const end = load<i32>(starts); bin < end; bin++) {
      const z = data + orderOf(fft, bin);
      const y = data + orderOf(fft, size - bin);
      const zr = v128.load(z);
      const zi = v128.load(z, 16);
      const yr = v128.load(y);
      const yi = v128.load(y, 16);
      const magnitude1 = length(f64x2.add(zr, yr), f64x2.sub(zi, yi));
      const magnitude2 = length(f64x2.add(zi, yi), f64x2.sub(yr, zr));
      const up = v128.load64_splat(weights);
      const down = v128.load64_splat(weights, 8);
      rising1 = f64x2.add(rising1, f64x2.mul(magnitude1, up));
      rising2 = f64x2.add(rising2, f64x2.mul(magnitude2, up));
      falling1 = f64x2.add(falling1, f64x2.mul(magnitude1, down));
      falling2 = f64x2.add(falling2, f64x2.mul(magnitude2, down));
      weights += 16;
    }
    if (band < 0) continue;
    v128.store(sums, f64x2.add(f64x2.add(first1, falling1), offset));
    v128.store(sums, f64x2.add(f64x2.add(first2, falling2), offset), 16);
    sums += 32;
  }
}

function writeRows(plan: Plan, values: usize): void {
  const row = <usize>plan.bands << 2;
  let sums = plan.sums;
  for (const end = values + row; values < end; values += 4) {
    const first = f32x4.demote_f64x2_zero(v128.load(sums));
    const second = f32x4.demote_f64x2_zero(v128.load(sums, 16));
    v128.store32_lane(values, first, 0);
    v128.store32_lane(values + row, second, 0);
    v128.store32_lane(values + 2 * row, first, 1);
    v128.store32_lane(values + 3 * row, second, 1);
    sums += 32;
  }
}

@inline
function length(re: v128, im: v128): v128 {
  return f64x2.sqrt(f64x2.add(f64x2.mul(re, re), f64x2.mul(im, im)));
}
