import type {LogMelOptions} from '../../stages/lib/audio/mel.ts';

/**
 * The definition of log-mel frames, in float64 and O(n^2): a window, a direct DFT, a dense matrix of triangles. Takes the
 * lengths of window and hop in samples. Returns one row of `bands` values for each whole frame.
 */
export function directLogMel(samples: Float64Array, options: LogMelOptions, window: number, hop: number): number[][] {
  const {sampleRate, bands, lowHz, highHz, logOffset} = options;
  let size = 1;
  while (size < window) size *= 2;
  const mel = (hz: number): number => 1127 * Math.log(1 + hz / 700);
  const low = mel(lowHz);
  const edge = (i: number): number => low + (i / (bands + 1)) * (mel(highHz) - low);
  const rows: number[][] = [];
  for (let start = 0; start + window <= samples.length; start += hop) {
    const magnitudes = Array.from({length: size / 2 + 1}, (_, k) => magnitude(samples, start, window, k, size));
    const row = Array.from({length: bands}, (_, b) => {
      const triangle = (at: number): number =>
        Math.max(
          0,
          Math.min((at - edge(b)) / (edge(b + 1) - edge(b)), (edge(b + 2) - at) / (edge(b + 2) - edge(b + 1))),
        );
      const sum = magnitudes.reduce(
        (total, m, k) => total + (k === 0 ? 0 : m * triangle(mel((k * sampleRate) / size))),
        0,
      );
      return Math.log(sum + logOffset);
    });
    rows.push(row);
  }
  return rows;
}

/** Of bin k of the windowed frame at `start`. */
function magnitude(samples: Float64Array, start: number, window: number, k: number, size: number): number {
  let re = 0;
  let im = 0;
  for (let n = 0; n < window; n++) {
    const x = samples[start + n]! * (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / window));
    // The product is reduced first: the angle would lose digits.
    const angle = (2 * Math.PI * ((k * n) % size)) / size;
    re += x * Math.cos(angle);
    im -= x * Math.sin(angle);
  }
  return Math.hypot(re, im);
}
