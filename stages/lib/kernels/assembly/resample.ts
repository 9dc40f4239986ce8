// Band-limited resampling, float64. See ../../resample-blocks.ts and ../../resample-taps.ts, which drive it.
import {Fft, POINT, createFft, forward, inverse, orderOf} from './fft';

export {allocate, release} from './memory';

/** Half the length of the band filter, in samples of the lower rate. */
const HALF_WIDTH = 202.0;
/** Middle of its transition, as a part of the lower rate's Nyquist frequency. */
const CUTOFF = 0.96;
/** Kaiser's beta for 240 dB. */
const BETA = 0.1102 * (240.0 - 8.7);
/** Enough terms of I0's series for arguments up to BETA. */
const TERMS = 80;
/** 1 / k^2 for k = 1 ... TERMS. */
const INVERSE_SQUARES = memory.data(8 * 81);

for (let k = 1; k <= TERMS; k++) store<f64>(INVERSE_SQUARES + 8 * <usize>k, 1 / <f64>(k * k));

/** A ratio's transforms, buffers, and what becomes of each frequency. */
@unmanaged
class Plan {
  input: Fft;
  output: Fft;
  inputData: usize;
  outputData: usize;
  /** Of each point of the output's spectrum: the offset of its source in the input's (u32) and its factor (f64). */
  sources: usize;
  factors: usize;
}

/**
 * Tables to turn blocks of `inputPoints` samples into blocks of `outputPoints`. Both must be products of 2, 3, 5 and 7.
 * `band`: rate whose Nyquist frequency limits the signal, as a part of the input's, up to 1.
 */
export function createPlan(inputPoints: i32, outputPoints: i32, band: f64): Plan {
  const plan = changetype<Plan>(heap.alloc(offsetof<Plan>()));
  plan.input = createFft(inputPoints);
  plan.output = inputPoints === outputPoints ? plan.input : createFft(outputPoints);
  // One point more, as points are laid out and collected by twos.
  plan.inputData = heap.alloc(<usize>(inputPoints + 1) * POINT);
  plan.outputData = heap.alloc(<usize>(outputPoints + 1) * POINT);
  plan.sources = heap.alloc(<usize>outputPoints * 4);
  plan.factors = heap.alloc(<usize>outputPoints * 8);
  assignFactors(plan, band);
  return plan;
}

/**
 * Resamples four blocks, which start `hop` samples apart, and writes `count` samples of each, from its sample `skip` on, one
 * block after the other. `input` holds 3 * hop + inputPoints + 1 samples, the last one unused.
 */
export function resampleBlocks(plan: Plan, input: usize, hop: i32, skip: i32, count: i32, output: usize): void {
  layOut(input, <usize>hop * 8, plan.inputData, plan.input.size);
  forward(plan.input, plan.inputData);
  pick(plan);
  inverse(plan.output, plan.outputData);
  collect(plan.outputData + <usize>skip * POINT, count, output);
}

/**
 * Weights of `taps` (even) samples around a point between two of them: sample i of them lies `i + 1 - taps / 2 - fraction`
 * after it. A sinc at these samples' Nyquist frequency under a Kaiser window.
 */
export function assignTaps(weights: usize, taps: i32, fraction: f64): void {
  const half = 0.5 * <f64>taps;
  let sum = 0.0;
  for (let i = 0; i < taps; i++) {
    const x = <f64>(i + 1) - half - fraction;
    const weight = sinc(x) * window(x / half);
    store<f64>(weights + <usize>i * 8, weight);
    sum += weight;
  }
  for (let i = 0; i < taps; i++) store<f64>(weights + <usize>i * 8, load<f64>(weights + <usize>i * 8) / sum);
}

/**
 * `output[t]` = sum of the `taps` (a multiple of 4) products from `weights + weightOffsets[t]` and `samples +
 * sampleOffsets[t]`, offsets in bytes (u32).
 */
export function multiplyTaps(
  weights: usize, weightOffsets: usize, samples: usize, sampleOffsets: usize, taps: i32, output: usize, count: i32,
): void {
  const bytes = <usize>taps * 8;
  for (; count > 0; count--) {
    let w = weights + <usize>load<u32>(weightOffsets);
    let x = samples + <usize>load<u32>(sampleOffsets);
    const end = w + bytes;
    let sum0 = f64x2.splat(0);
    let sum1 = f64x2.splat(0);
    for (; w < end; w += 32) {
      sum0 = f64x2.add(sum0, f64x2.mul(v128.load(w), v128.load(x)));
      sum1 = f64x2.add(sum1, f64x2.mul(v128.load(w, 16), v128.load(x, 16)));
      x += 32;
    }
    const sum = f64x2.add(sum0, sum1);
    store<f64>(output, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
    weightOffsets += 4;
    sampleOffsets += 4;
    output += 8;
  }
}

/** The band filter is even, so its response is real. It takes the scale of the inverse transform in. */
function assignFactors(plan: Plan, band: f64): void {
  const points = plan.input.size;
  const data = plan.inputData;
  memory.fill(data, 0, <usize>points * POINT);
  const reach = <i32>Math.ceil(HALF_WIDTH / band);
  for (let i = -reach; i <= reach; i++) {
    const t = band * <f64>i;
    const at = data + <usize>(i < 0 ? i + points : i) * POINT;
    store<f64>(at, load<f64>(at) + sinc(CUTOFF * t) * window(t / HALF_WIDTH));
  }
  forward(plan.input, data);
  const gain = load<f64>(data) * <f64>points;
  const size = plan.output.size;
  memory.fill(plan.sources, 0, <usize>size * 4);
  memory.fill(plan.factors, 0, <usize>size * 8);
  const least = min(points, size);
  for (let k = 0; 2 * k < least; k++) {
    const factor = load<f64>(data + orderOf(plan.input, k)) / gain;
    assignFactor(plan, k, k, factor);
    if (k > 0) assignFactor(plan, points - k, size - k, factor);
  }
}

function assignFactor(plan: Plan, from: i32, to: i32, factor: f64): void {
  const place = orderOf(plan.output, to) / POINT;
  store<u32>(plan.sources + 4 * place, <u32>orderOf(plan.input, from));
  store<f64>(plan.factors + 8 * place, factor);
}

/** Four real blocks as two complex ones: real parts the first and the third, imaginary parts the second and the fourth. */
function layOut(input: usize, hop: usize, data: usize, points: i32): void {
  let p1 = input + hop;
  let p2 = p1 + hop;
  let p3 = p2 + hop;
  for (let i = 0; i < points; i += 2) {
    const a = v128.load(input);
    const b = v128.load(p1);
    const c = v128.load(p2);
    const d = v128.load(p3);
    v128.store(data, v128.shuffle<f64>(a, c, 0, 2));
    v128.store(data, v128.shuffle<f64>(b, d, 0, 2), 16);
    v128.store(data, v128.shuffle<f64>(a, c, 1, 3), 32);
    v128.store(data, v128.shuffle<f64>(b, d, 1, 3), 48);
    input += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    data += 2 * POINT;
  }
}

function pick(plan: Plan): void {
  const data = plan.inputData;
  let to = plan.outputData;
  let source = plan.sources;
  let factor = plan.factors;
  for (const end = to + <usize>plan.output.size * POINT; to < end; to += POINT) {
    const from = data + <usize>load<u32>(source);
    const scale = v128.load64_splat(factor);
    v128.store(to, f64x2.mul(v128.load(from), scale));
    v128.store(to, f64x2.mul(v128.load(from, 16), scale), 16);
    source += 4;
    factor += 8;
  }
}

function collect(data: usize, count: i32, output: usize): void {
  const bytes = <usize>count * 8;
  let p1 = output + bytes;
  let p2 = p1 + bytes;
  let p3 = p2 + bytes;
  for (let i = count; i > 0; i -= 2) {
    const a = v128.load(data);
    const b = v128.load(data, 16);
    if (i === 1) {
      store<f64>(output, f64x2.extract_lane(a, 0));
      store<f64>(p1, f64x2.extract_lane(b, 0));
      store<f64>(p2, f64x2.extract_lane(a, 1));
      store<f64>(p3, f64x2.extract_lane(b, 1));
      return;
    }
    const c = v128.load(data, 32);
    const d = v128.load(data, 48);
    v128.store(output, v128.shuffle<f64>(a, c, 0, 2));
    v128.store(p1, v128.shuffle<f64>(b, d, 0, 2));
    v128.store(p2, v128.shuffle<f64>(a, c, 1, 3));
    v128.store(p3, v128.shuffle<f64>(b, d, 1, 3));
    output += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    data += 2 * POINT;
  }
}

function sinc(t: f64): f64 {
  const x = Math.PI * t;
  return x === 0 ? 1 : Math.sin(x) / x;
}

/** Kaiser's window at -1 ... 1, 0 outside. */
function window(x: f64): f64 {
  const rest = 1 - x * x;
  return rest < 0 ? 0 : bessel0(BETA * BETA * rest) / bessel0(BETA * BETA);
}

/** Modified Bessel function of the first kind, order 0, of the square root of x: sum of (x / 4)^k / (k!)^2. */
function bessel0(x: f64): f64 {
  const quarter = 0.25 * x;
  let term = 1.0;
  let sum = 1.0;
  for (let k = 1; k <= TERMS && term > sum * 1e-17; k++) {
    term *= quarter * load<f64>(INVERSE_SQUARES + 8 * <usize>k);
    sum += term;
  }
  return sum;
}
