/** Writes the magnitudes of the real DFT of `input` (size samples) to `output` (size/2 + 1 bins, from 0 to half the rate). */
export type MagnitudeSpectrum = (input: Float64Array, output: Float64Array) => void;

/**
 * Prepares real FFTs of one size, a power of two from 4: the even and odd samples go through one complex radix-2 FFT of
 * half the size as its real and imaginary part, and are told apart by symmetry. Tables are computed once, here.
 */
export function createMagnitudeSpectrum(size: number): MagnitudeSpectrum {
  if (size < 4 || !Number.isInteger(Math.log2(size)))
    throw new RangeError(`an FFT size is a power of two, not ${size}`);
  const half = size / 2;
  const cosines = new Float64Array(half);
  const sines = new Float64Array(half);
  for (let k = 0; k < half; k++) {
    cosines[k] = Math.cos((2 * Math.PI * k) / size);
    sines[k] = -Math.sin((2 * Math.PI * k) / size);
  }
  const order = bitReversed(half);
  const real = new Float64Array(half);
  const imaginary = new Float64Array(half);

  /** In-place butterflies over `real` and `imaginary`, already in bit-reversed order. */
  function transform(): void {
    for (let width = 2; width <= half; width *= 2) {
      const arm = width / 2;
      const stride = size / width;
      for (let start = 0; start < half; start += width) {
        for (let k = 0; k < arm; k++) {
          const c = cosines[k * stride] as number;
          const s = sines[k * stride] as number;
          const low = start + k;
          const high = low + arm;
          const x = real[high] as number;
          const y = imaginary[high] as number;
          const turnedX = x * c - y * s;
          const turnedY = x * s + y * c;
          const baseX = real[low] as number;
          const baseY = imaginary[low] as number;
          real[low] = baseX + turnedX;
          imaginary[low] = baseY + turnedY;
          real[high] = baseX - turnedX;
          imaginary[high] = baseY - turnedY;
        }
      }
    }
  }

  return (input, output) => {
    for (let i = 0; i < half; i++) {
      const from = 2 * (order[i] as number);
      real[i] = input[from] as number;
      imaginary[i] = input[from + 1] as number;
    }
    transform();
    const x0 = real[0] as number;
    const y0 = imaginary[0] as number;
    output[0] = Math.abs(x0 + y0);
    output[half] = Math.abs(x0 - y0);
    for (let k = 1; k < half; k++) {
      const x = real[k] as number;
      const y = imaginary[k] as number;
      const mirroredX = real[half - k] as number;
      const mirroredY = imaginary[half - k] as number;
      const evenX = (x + mirroredX) / 2;
      const evenY = (y - mirroredY) / 2;
      const oddX = (y + mirroredY) / 2;
      const oddY = (mirroredX - x) / 2;
      const c = cosines[k] as number;
      const s = sines[k] as number;
      const binX = evenX + c * oddX - s * oddY;
      const binY = evenY + c * oddY + s * oddX;
      output[k] = Math.sqrt(binX * binX + binY * binY);
    }
  };
}

function bitReversed(size: number): Uint32Array {
  const order = new Uint32Array(size);
  for (let i = 1; i < size; i++) order[i] = ((order[i >> 1] as number) >> 1) | (i & 1 ? size >> 1 : 0);
  return order;
}
