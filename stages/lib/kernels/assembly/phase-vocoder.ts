// A phase vocoder whose inverse transforms are longer or shorter than its forward ones, so that its sound comes out oversampled
// just enough for a short interpolation filter, which then reads it at the new pitch. See stages/lib/audio/pitch-shift.ts.
//
// Four frames travel at once: the lanes of an f64x2 hold two, real and imaginary part of a complex signal two more.
import {POINT, Fft, createFft, forward, inverse, orderOf} from './fft';
import {TAPS, createTaps, createWindow} from './vocoder-tables';

export {allocate, release} from './memory';

const SIZE = 2048;
const HOP = 512;
const BINS = 1025;
/** A frame's spectrum lies as blocks of two bins: both sizes, then the real, then the imaginary parts of the unit phasors. */
const BLOCK: usize = 48;
const FRAME: usize = 24640;
const SLOTS = 16;
/** A bin of less power counts as 0: its phasor could not be told from rounding. */
const SMALLEST_POWER = 1e-280;
/** Of a periodic Hann window that moves by a quarter. */
const SUM_OF_SQUARES = 1.5;
/** Below this the few windows that reach a sample do not determine it. */
const SMALLEST_SUM = 0.01;

/** Samples kept before the new ones: at least TAPS. */
const KEPT = 32;
const LONGEST = 4096;

const input = memory.data((SIZE + 3 * HOP) * 8, 16);
const slots = memory.data(SLOTS * 24640, 16);
/**
 * Of each of four frames to make: i32 slot of the frame before and after it, f64 weights of both; then i32 first and last
 * quarter of the windows that reach the hop which begins with that frame: 0 and 3 but at the ends of the sound.
 */
const STEP: usize = 32;
const steps = memory.data(4 * 32, 16);
const points = memory.data(LONGEST * 32, 16);
const phasors = memory.data(513 * 32, 16);
const carried = memory.data(3 * (LONGEST / 4) * 8, 16);
const stretched = memory.data((KEPT + LONGEST) * 8, 16);
const output = memory.data((2 * LONGEST + 16) * 8, 16);

let analysis: Fft = changetype<Fft>(0);
let analysisWindow: usize = 0;

/** Where to write SIZE + 3 HOP samples for `analyse`. */
export function inputAddress(): usize {
  return input;
}

export function stepsAddress(): usize {
  return steps;
}

/** Where `synthesise` leaves its samples. */
export function outputAddress(): usize {
  return output;
}

/** What one interval needs: the inverse transform, the part of the spectrum that survives, the interpolation filter. */
@unmanaged
class Plan {
  fft: Fft;
  hop: i32;
  window: usize;
  /** Blocks of two bins that are not 0. */
  blocks: i32;
  gains: usize;
  /** The output reads the stretched sound every `up / down` samples. */
  up: i32;
  down: i32;
  taps: usize;
}

let plan: Plan = changetype<Plan>(0);
let at: i32 = 0;
let phase: i32 = 0;

/**
 * Tables for inverse transforms of `length` points and an output that takes a sample every `up / down` of theirs, which lives
 * until `release`. Bins from `pass` on fade out, from `stop` on they are 0.
 */
export function createPlan(length: i32, up: i32, down: i32, pass: f64, stop: f64): usize {
  const made = changetype<Plan>(heap.alloc(offsetof<Plan>()));
  made.fft = createFft(length);
  made.hop = length / 4;
  made.window = createWindow(length, 1 / (SUM_OF_SQUARES * SIZE));
  made.gains = heap.alloc((BINS + 1) * 8);
  let bins = 0;
  for (let k = 0; k <= BINS; k++) {
    let gain: f64 = 0;
    if (k < BINS && <f64>k < stop) {
      gain = <f64>k <= pass ? 1 : 0.5 + 0.5 * Math.cos((Math.PI * (<f64>k - pass)) / (stop - pass));
      // Half the rate is one bin of SIZE points, but two of more.
      if (k === BINS - 1) gain *= 0.5;
      bins = k + 1;
    }
    store<f64>(made.gains + (<usize>k << 3), gain);
  }
  made.blocks = (bins + 1) >> 1;
  made.up = up;
  made.down = down;
  made.taps = createTaps(down);
  if (analysisWindow === 0) {
    analysis = createFft(SIZE);
    // The half is what splitting a transform into the spectra of its two real signals takes.
    analysisWindow = createWindow(SIZE, 0.5);
  }
  return changetype<usize>(made);
}

/** Starts a sound with a plan. */
export function begin(address: usize): void {
  plan = changetype<Plan>(address);
  memory.fill(carried, 0, <usize>(3 * plan.hop) << 3);
  // The first frame is centred at the first sample of the output.
  at = KEPT + 2 * plan.hop - (TAPS / 2 - 1);
  phase = 0;
}

/** Takes the phases of the frame in a slot for those of the first frame to make. */
export function startAt(slot: i32): void {
  let frame = slotAddress(slot);
  let to = phasors;
  for (let i = 0; i < plan.blocks; i++) {
    v128.store(to, v128.load(frame, 16));
    v128.store(to, v128.load(frame, 32), 16);
    frame += BLOCK;
    to += 32;
  }
}

/** A silent frame, of phase 0. */
export function silence(slot: i32): void {
  let frame = slotAddress(slot);
  for (let i = 0; i < plan.blocks; i++) {
    v128.store(frame, f64x2.splat(0));
    v128.store(frame, f64x2.splat(1), 16);
    v128.store(frame, f64x2.splat(0), 32);
    frame += BLOCK;
  }
}

/** Sizes and unit phasors of the four frames of the input, to `slot` and the three after it. */
export function analyse(slot: i32): void {
  let from = input;
  let to = points;
  for (let w = analysisWindow, end = w + (SIZE << 3); w < end; w += 8) {
    const weight = v128.load64_splat(w);
    v128.store(to, f64x2.mul(weight, v128.load64_lane(from, v128.load64_zero(from), 1, 2 * HOP * 8)));
    v128.store(to, f64x2.mul(weight, v128.load64_lane(from, v128.load64_zero(from, HOP * 8), 1, 3 * HOP * 8)), 16);
    from += 8;
    to += POINT;
  }
  forward(analysis, points);
  let frame = slotAddress(slot);
  const bins = 2 * plan.blocks;
  for (let k = 0; k < bins; k++) {
    const z = points + orderOf(analysis, k);
    const y = points + orderOf(analysis, k === 0 ? 0 : SIZE - k);
    const zr = v128.load(z);
    const zi = v128.load(z, 16);
    const yr = v128.load(y);
    const yi = v128.load(y, 16);
    keep(frame, frame + 2 * FRAME, f64x2.add(zr, yr), f64x2.sub(zi, yi));
    keep(frame + FRAME, frame + 3 * FRAME, f64x2.add(zi, yi), f64x2.sub(yr, zr));
    frame += k & 1 ? BLOCK - 8 : 8;
  }
}

/** Makes the four frames that `steps` describes and adds them to the sound. Gives the number of samples ready in `output`. */
export function synthesise(): i32 {
  turn();
  inverse(plan.fft, points);
  overlap();
  for (let i = 0; i < 4; i++) mend(i);
  const count = interpolate();
  memory.copy(stretched, stretched + (<usize>(4 * plan.hop) << 3), KEPT << 3);
  at -= 4 * plan.hop;
  return count;
}

/** Lane 0 to one frame, lane 1 to the other. */
@inline
function keep(first: usize, second: usize, re: v128, im: v128): void {
  const power = f64x2.add(f64x2.mul(re, re), f64x2.mul(im, im));
  const isThere = f64x2.ge(power, f64x2.splat(SMALLEST_POWER));
  const size = v128.and(f64x2.sqrt(power), isThere);
  const inverted = f64x2.div(f64x2.splat(1), size);
  const unitRe = v128.bitselect(f64x2.mul(re, inverted), f64x2.splat(1), isThere);
  const unitIm = v128.and(f64x2.mul(im, inverted), isThere);
  v128.store64_lane(first, size, 0);
  v128.store64_lane(second, size, 1);
  v128.store64_lane(first, unitRe, 0, 16);
  v128.store64_lane(second, unitRe, 1, 16);
  v128.store64_lane(first, unitIm, 0, 32);
  v128.store64_lane(second, unitIm, 1, 32);
}

/** Size of a new frame's two bins: between those of its neighbours. */
@inline
function sizes(before: usize, after: usize, weightBefore: v128, weightAfter: v128, gain: v128): v128 {
  const mixed = f64x2.add(f64x2.mul(weightBefore, v128.load(before)), f64x2.mul(weightAfter, v128.load(after)));
  return f64x2.mul(mixed, gain);
}

/** Real part of conj(unit phasor before) * unit phasor after. */
@inline
function turnRe(before: usize, after: usize): v128 {
  return f64x2.add(
    f64x2.mul(v128.load(before, 16), v128.load(after, 16)), f64x2.mul(v128.load(before, 32), v128.load(after, 32)),
  );
}

@inline
function turnIm(before: usize, after: usize): v128 {
  return f64x2.sub(
    f64x2.mul(v128.load(before, 16), v128.load(after, 32)), f64x2.mul(v128.load(before, 32), v128.load(after, 16)),
  );
}

@inline
function productRe(ar: v128, ai: v128, br: v128, bi: v128): v128 {
  return f64x2.sub(f64x2.mul(ar, br), f64x2.mul(ai, bi));
}

@inline
function productIm(ar: v128, ai: v128, br: v128, bi: v128): v128 {
  return f64x2.add(f64x2.mul(ar, bi), f64x2.mul(ai, br));
}

/** Address of a neighbour, 0 before and 1 after, of a frame to make. */
@inline
function neighbour(step: i32, side: usize): usize {
  return slotAddress(load<i32>(steps + <usize>step * STEP + 4 * side));
}

@inline
function weight(step: i32, side: usize): v128 {
  return v128.load64_splat(steps + <usize>step * STEP + 8 * side, 8);
}

/** Puts the spectra of four new frames together, ready for the inverse transform, and turns the phasors on. */
function turn(): void {
  const fft = plan.fft;
  const size = fft.size;
  memory.fill(points, 0, <usize>size * POINT);
  let a0 = neighbour(0, 0), b0 = neighbour(0, 1), a1 = neighbour(1, 0), b1 = neighbour(1, 1);
  let a2 = neighbour(2, 0), b2 = neighbour(2, 1), a3 = neighbour(3, 0), b3 = neighbour(3, 1);
  const u0 = weight(0, 0), v0 = weight(0, 1), u1 = weight(1, 0), v1 = weight(1, 1);
  const u2 = weight(2, 0), v2 = weight(2, 1), u3 = weight(3, 0), v3 = weight(3, 1);
  let phasor = phasors;
  let gains = plan.gains;
  for (let k = 0, bins = 2 * plan.blocks; k < bins; k += 2) {
    const gain = v128.load(gains);
    const p0r = v128.load(phasor);
    const p0i = v128.load(phasor, 16);
    const s0 = sizes(a0, b0, u0, v0, gain);
    const t0r = turnRe(a0, b0), t0i = turnIm(a0, b0);
    const p1r = productRe(p0r, p0i, t0r, t0i), p1i = productIm(p0r, p0i, t0r, t0i);
    const s1 = sizes(a1, b1, u1, v1, gain);
    const t1r = turnRe(a1, b1), t1i = turnIm(a1, b1);
    const p2r = productRe(p1r, p1i, t1r, t1i), p2i = productIm(p1r, p1i, t1r, t1i);
    const s2 = sizes(a2, b2, u2, v2, gain);
    const t2r = turnRe(a2, b2), t2i = turnIm(a2, b2);
    const p3r = productRe(p2r, p2i, t2r, t2i), p3i = productIm(p2r, p2i, t2r, t2i);
    const s3 = sizes(a3, b3, u3, v3, gain);
    const t3r = turnRe(a3, b3), t3i = turnIm(a3, b3);
    const p4r = productRe(p3r, p3i, t3r, t3i), p4i = productIm(p3r, p3i, t3r, t3i);
    // One step of Newton's method towards length 1: the roundings of many products do not add up.
    const power = f64x2.add(f64x2.mul(p4r, p4r), f64x2.mul(p4i, p4i));
    const unit = f64x2.sub(f64x2.splat(1.5), f64x2.mul(f64x2.splat(0.5), power));
    v128.store(phasor, f64x2.mul(p4r, unit));
    v128.store(phasor, f64x2.mul(p4i, unit), 16);
    const y0r = f64x2.mul(s0, p0r), y0i = f64x2.mul(s0, p0i), y1r = f64x2.mul(s1, p1r), y1i = f64x2.mul(s1, p1i);
    const y2r = f64x2.mul(s2, p2r), y2i = f64x2.mul(s2, p2i), y3r = f64x2.mul(s3, p3r), y3i = f64x2.mul(s3, p3i);
    join(
      points + orderOf(fft, k), points + orderOf(fft, k === 0 ? 0 : size - k),
      v128.shuffle<f64>(y0r, y2r, 0, 2), v128.shuffle<f64>(y0i, y2i, 0, 2),
      v128.shuffle<f64>(y1r, y3r, 0, 2), v128.shuffle<f64>(y1i, y3i, 0, 2),
    );
    join(
      points + orderOf(fft, k + 1), points + orderOf(fft, size - k - 1),
      v128.shuffle<f64>(y0r, y2r, 1, 3), v128.shuffle<f64>(y0i, y2i, 1, 3),
      v128.shuffle<f64>(y1r, y3r, 1, 3), v128.shuffle<f64>(y1i, y3i, 1, 3),
    );
    a0 += BLOCK; b0 += BLOCK; a1 += BLOCK; b1 += BLOCK;
    a2 += BLOCK; b2 += BLOCK; a3 += BLOCK; b3 += BLOCK;
    phasor += 32;
    gains += 16;
  }
}

/** Frequencies k and size - k of a + ib, where a and b are spectra of real signals. */
@inline
function join(z: usize, y: usize, ar: v128, ai: v128, br: v128, bi: v128): void {
  v128.store(y, f64x2.add(ar, bi));
  v128.store(y, f64x2.sub(br, ai), 16);
  v128.store(z, f64x2.sub(ar, bi));
  v128.store(z, f64x2.add(ai, br), 16);
}

/** Two windowed samples of frame 0, or 16 bytes on of frame 1. */
@inline
function low(point: usize, window: usize): v128 {
  return f64x2.mul(v128.load(window), v128.shuffle<f64>(v128.load(point), v128.load(point + POINT), 0, 2));
}

/** The same of frame 2 or 3, the other lane. */
@inline
function high(point: usize, window: usize): v128 {
  return f64x2.mul(v128.load(window), v128.shuffle<f64>(v128.load(point), v128.load(point + POINT), 1, 3));
}

/** Windows the four frames in `points` and adds them up: four hops are complete, three are carried. */
function overlap(): void {
  const hop = <usize>plan.hop;
  const row = hop << 3;
  const part = hop * POINT;
  let w0 = plan.window;
  let f0 = points;
  let to = stretched + (KEPT << 3);
  let carry = carried;
  for (const end = carried + row; carry < end; carry += 16) {
    const w1 = w0 + row, w2 = w1 + row, w3 = w2 + row;
    const q1 = f0 + part, q2 = q1 + part, q3 = q2 + part;
    const f1 = f0 + 16, r1 = q1 + 16, r2 = q2 + 16, r3 = q3 + 16;
    v128.store(to, f64x2.add(v128.load(carry), low(f0, w0)));
    v128.store(to + row, f64x2.add(f64x2.add(v128.load(carry + row), low(q1, w1)), low(f1, w0)));
    const third = f64x2.add(f64x2.add(low(q2, w2), low(r1, w1)), high(f0, w0));
    v128.store(to + 2 * row, f64x2.add(v128.load(carry + 2 * row), third));
    v128.store(to + 3 * row, f64x2.add(f64x2.add(low(q3, w3), low(r2, w2)), f64x2.add(high(q1, w1), high(f1, w0))));
    v128.store(carry, f64x2.add(f64x2.add(low(r3, w3), high(q2, w2)), high(r1, w1)));
    v128.store(carry + row, f64x2.add(high(q3, w3), high(r2, w2)));
    v128.store(carry + 2 * row, high(r3, w3));
    w0 += 16;
    f0 += 2 * POINT;
    to += 16;
  }
}

/** Divides a hop that not all windows reach by the sum of the squares of those that do. */
function mend(step: i32): void {
  const first = load<i32>(steps + <usize>step * STEP, 24);
  const last = load<i32>(steps + <usize>step * STEP, 28);
  if (first === 0 && last === 3) return;
  const hop = plan.hop;
  const scale: f64 = SUM_OF_SQUARES * SIZE;
  let to = stretched + (<usize>(KEPT + step * hop) << 3);
  for (let i = 0; i < hop; i++) {
    let sum: f64 = 0;
    for (let part = first; part <= last; part++) {
      const weight = load<f64>(plan.window + (<usize>(part * hop + i) << 3)) * scale;
      sum += weight * weight;
    }
    store<f64>(to, sum < SMALLEST_SUM ? 0 : (load<f64>(to) * SUM_OF_SQUARES) / sum);
    to += 8;
  }
}

/** Reads the stretched sound as far as it goes. */
function interpolate(): i32 {
  const last = KEPT + 4 * plan.hop - TAPS;
  const whole = plan.up / plan.down;
  const rest = plan.up % plan.down;
  let to = output;
  while (at <= last) {
    const from = stretched + (<usize>at << 3);
    const taps = plan.taps + <usize>phase * (TAPS << 3);
    let sum0 = f64x2.mul(v128.load(from), v128.load(taps));
    let sum1 = f64x2.mul(v128.load(from, 16), v128.load(taps, 16));
    let sum2 = f64x2.mul(v128.load(from, 32), v128.load(taps, 32));
    let sum3 = f64x2.mul(v128.load(from, 48), v128.load(taps, 48));
    for (let i: usize = 64; i < <usize>TAPS << 3; i += 64) {
      sum0 = f64x2.add(sum0, f64x2.mul(v128.load(from + i), v128.load(taps + i)));
      sum1 = f64x2.add(sum1, f64x2.mul(v128.load(from + i, 16), v128.load(taps + i, 16)));
      sum2 = f64x2.add(sum2, f64x2.mul(v128.load(from + i, 32), v128.load(taps + i, 32)));
      sum3 = f64x2.add(sum3, f64x2.mul(v128.load(from + i, 48), v128.load(taps + i, 48)));
    }
    const sum = f64x2.add(f64x2.add(sum0, sum1), f64x2.add(sum2, sum3));
    store<f64>(to, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
    to += 8;
    at += whole;
    phase += rest;
    if (phase >= plan.down) {
      phase -= plan.down;
      at++;
    }
  }
  return <i32>((to - output) >> 3);
}

@inline
function slotAddress(slot: i32): usize {
  return slots + <usize>slot * FRAME;
}
