import {counterStream, counterUniform} from '../tensors/counter-random.ts';
import type {NamedArray} from '../tensors/named-array.ts';
import {normalQuantile} from './normal.ts';
import {weightShape, type VggishLayer} from './vggish-layers.ts';

export type VggishInit = 'he' | 'release';

/**
 * Seeded weights, zero biases. Weights are normal, cut at two standard deviations. `release`: deviation 0.01, as the
 * released code starts training; random features of it are nearly constant. `he`: deviation sqrt(2 / inputs) after the
 * cut, which keeps the size of the signal through the layers (He et al. 2015).
 */
export function makeVggishWeights(
  layers: readonly VggishLayer[],
  init: VggishInit,
  seed: number,
): ReadonlyMap<string, NamedArray> {
  const tensors = new Map<string, NamedArray>();
  for (const layer of layers) {
    const shape = weightShape(layer);
    const size = shape.reduce((product, axis) => product * axis, 1);
    const deviation = init === 'he' ? Math.sqrt((2 * layer.to) / size) / CUT_DEVIATION : 0.01;
    const stream = counterStream(seed, `${layer.name}/weights`);
    const data = new Float32Array(size);
    for (let i = 0; i < size; i++) data[i] = deviation * cutNormal(counterUniform(stream, i));
    tensors.set(`${layer.name}/weights`, {shape, data});
    tensors.set(`${layer.name}/biases`, {shape: [layer.to], data: new Float32Array(layer.to)});
  }
  return tensors;
}

/** Standard normal distribution function at -2. */
const CUT = 0.02275013194817921;
/** Standard deviation of a standard normal variable cut at -2 and 2. */
const CUT_DEVIATION = 0.8796256610342398;

/** A standard normal value between -2 and 2 from a uniform one in (0, 1), by inversion: one number in, one out. */
function cutNormal(uniform: number): number {
  return normalQuantile(CUT + uniform * (1 - 2 * CUT));
}
