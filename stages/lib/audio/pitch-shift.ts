import {lazyKernel, type Kernel} from '../kernels/kernel.ts';
import {code} from '../kernels/phase-vocoder-wasm.ts';
import {peakOf} from './peak.ts';

/** The largest interval, in semitones. */
export const WIDEST = 12;

/**
 * Moves the pitch of a sound by whole semitones, -12 ... 12, and keeps its length. 0 copies. Frames and phase vocoder are those of
 * librosa.effects.pitch_shift 0.6: frames of 2048 samples every 512, periodic Hann, centred, the sound reflected at its ends
 * as often as it takes; the stretched sound's frames at t * rate, rate = 2^(-n/12), with the sizes of bins between those
 * of both neighbours and the phases moved on by what they move on from one neighbour to the other.
 *
 * That is what adding up an expected advance and the wrapped deviation from it comes to, but for whole turns, so no angle is
 * ever computed: the new bin's phasor is multiplied by conj(a) b / |a b|. A bin of size 0 has phase 0.
 *
 * Unlike librosa, the rest happens in one step. Bins that the new pitch moves beyond half the rate fade out (from 0.93 of it
 * to 0.97; aliases below -80 dB), and the inverse transform has about 3 points for each period of the highest frequency
 * left, so that 24 taps can read the new samples from between its own. The ratio of the two rates is a fraction,
 * within 0.01 cent of the interval, and the stretching uses the same one, so nothing drifts. The end is not cut off and
 * replaced by zeros as librosa 0.6 does with short sounds.
 *
 * `samples` must be finite. The peak of the result may lie above theirs. Memory: the result, tables and buffers of some MiB.
 */
export function pitchShift(samples: Float64Array, semitones: number): Float64Array {
  if (!Number.isInteger(semitones) || Math.abs(semitones) > WIDEST) {
    throw new RangeError(`an interval is -${WIDEST} ... ${WIDEST} whole semitones, not ${semitones}`);
  }
  const peak = peakOf(samples);
  if (!Number.isFinite(peak)) throw new RangeError('samples must be finite numbers');
  if (semitones === 0 || peak === 0) return samples.slice();
  if (peak > FAINT && peak < 1 / FAINT) return shift(samples, semitones);
  // Squares of such samples would leave the range of numbers.
  return shift(
    samples.map((sample) => sample / peak),
    semitones,
  ).map((sample) => sample * peak);
}

/** How an interval is made; see `pitchShift`. */
export interface Interval {
  /** Points of an inverse transform, a product of 2, 3, 5 and 7; `SIZE` would give the stretched sound at its own rate. */
  readonly length: number;
  /** One sample of the result every up / down points. */
  readonly up: number;
  readonly down: number;
  /** Bins from `pass` on fade out, from `stop` on they are 0. */
  readonly pass: number;
  readonly stop: number;
}

/** The shortest inverse transforms with a simple fraction that is close enough. */
export function intervalOf(semitones: number): Interval {
  const ratio = 2 ** (semitones / 12);
  const fades = semitones > 0;
  const pass = fades ? (FADE_FROM * SIZE) / 2 / ratio : SIZE;
  const stop = fades ? (FADE_TO * SIZE) / 2 / ratio : SIZE;
  const highest = Math.min(stop, SIZE / 2);
  for (const length of LENGTHS) {
    if (length < POINTS_PER_PERIOD * highest) continue;
    const wanted = (ratio * length) / SIZE;
    for (let down = 1; down <= MOST_PHASES; down++) {
      const up = Math.round(wanted * down);
      if (Math.abs(1200 * Math.log2(up / down / wanted)) < LARGEST_CENTS) return {length, up, down, pass, stop};
    }
  }
  throw new RangeError(`no transform fits ${semitones} semitones`);
}

const SIZE = 2048;
const HOP = SIZE / 4;
/** Frames worked on at once. */
const BATCH = 4;
/** Samples of one batch. */
const SPAN = SIZE + (BATCH - 1) * HOP;
/** At rate 2, a batch reaches over 8 frames of the sound, which lie in three batches at most. */
const SLOTS = 4 * BATCH;
const FADE_FROM = 0.93;
const FADE_TO = 0.97;
const POINTS_PER_PERIOD = 3;
/** Those whose transforms take the least time for their length. */
const LENGTHS = [1536, 1728, 2048, 2304, 2560, 3072, 3456];
const LARGEST_CENTS = 0.01;
const MOST_PHASES = 900;
const FAINT = 1e-100;

/** The exports of assembly/phase-vocoder.ts. */
interface VocoderKernel extends Kernel {
  createPlan(length: number, up: number, down: number, pass: number, stop: number): number;
  begin(plan: number): void;
  analyse(slot: number): void;
  silence(slot: number): void;
  startAt(slot: number): void;
  synthesise(): number;
  inputAddress(): number;
  stepsAddress(): number;
  outputAddress(): number;
}

interface Vocoder {
  readonly kernel: VocoderKernel;
  readonly interval: Interval;
  readonly plan: number;
}

const vocoderOf = lazyVocoders(lazyKernel(code) as () => VocoderKernel);

/** Makes each interval's tables once. */
function lazyVocoders(kernelOf: () => VocoderKernel): (semitones: number) => Vocoder {
  const vocoders = new Map<number, Vocoder>();
  return (semitones) => {
    let vocoder = vocoders.get(semitones);
    if (vocoder === undefined) {
      const kernel = kernelOf();
      const interval = intervalOf(semitones);
      const {length, up, down, pass, stop} = interval;
      vocoder = {kernel, interval, plan: kernel.createPlan(length, up, down, pass, stop)};
      vocoders.set(semitones, vocoder);
    }
    return vocoder;
  };
}

function shift(samples: Float64Array, semitones: number): Float64Array {
  const {kernel, interval, plan} = vocoderOf(semitones);
  const input = new Float64Array(kernel.memory.buffer, kernel.inputAddress(), SPAN);
  const steps = new DataView(kernel.memory.buffer, kernel.stepsAddress());
  const frames = 1 + Math.floor(samples.length / HOP);
  // Frame t of the stretched sound lies t * rateUp / rateDown frames into the sound.
  const rateUp = interval.down * interval.length;
  const rateDown = interval.up * SIZE;
  const total = Math.ceil((frames * rateDown) / rateUp);
  let analysed = 0;

  function analyseUpTo(frame: number): void {
    for (; analysed <= frame; analysed += BATCH) {
      readPadded(samples, analysed * HOP - SIZE / 2, input);
      kernel.analyse(analysed % SLOTS);
      for (let i = 0; i < BATCH; i++) if (analysed + i >= frames) kernel.silence((analysed + i) % SLOTS);
    }
  }

  kernel.begin(plan);
  analyseUpTo(1);
  kernel.startAt(0);
  const result = new Float64Array(samples.length);
  for (let t = 0, done = 0; done < result.length; t += BATCH) {
    for (let i = 0; i < BATCH; i++) {
      // Behind the last frame come silent ones, whose windows still count for nothing.
      const isSound = t + i < total;
      const time = Math.min(t + i, total - 1) * rateUp;
      const frame = Math.floor(time / rateDown);
      const weight = (time % rateDown) / rateDown;
      analyseUpTo(frame + 1);
      const at = i * STEP_BYTES;
      steps.setInt32(at, frame % SLOTS, true);
      steps.setInt32(at + 4, (frame + 1) % SLOTS, true);
      steps.setFloat64(at + 8, isSound ? 1 - weight : 0, true);
      steps.setFloat64(at + 16, isSound ? weight : 0, true);
      steps.setInt32(at + 24, Math.max(0, t + i - total + 1), true);
      steps.setInt32(at + 28, Math.min(3, t + i), true);
    }
    const count = Math.min(kernel.synthesise(), result.length - done);
    result.set(new Float64Array(kernel.memory.buffer, kernel.outputAddress(), count), done);
    done += count;
  }
  return result;
}

const STEP_BYTES = 32;

/** Fills `target` with the samples from `start` on, the sound reflected at its ends. */
function readPadded(samples: Float64Array, start: number, target: Float64Array): void {
  const end = start + target.length;
  if (start >= 0 && end <= samples.length) {
    target.set(samples.subarray(start, end));
    return;
  }
  const period = Math.max(1, 2 * (samples.length - 1));
  for (let i = 0; i < target.length; i++) {
    const at = (((start + i) % period) + period) % period;
    target[i] = samples[Math.min(at, period - at)] as number;
  }
}
