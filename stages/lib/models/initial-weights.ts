import {counterStream, counterUniform, glorotUniform, type CounterStream} from '../tensors/counter-random.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import {normalQuantile} from '../learning/normal.ts';
import type {ModelGraph} from './graph.ts';
import {parameterShapes, sizeOf} from './shapes.ts';

/**
 * How weights are drawn. `glorot`: uniform, as Keras does. The others are normal, cut at two standard deviations: `he` with
 * deviation sqrt(2 / inputs) after the cut, which keeps the size of the signal through layers with ReLU (He et al. 2015);
 * `release` with 0.01 before it, as the released code of VGGish starts training.
 */
export type Initialiser = 'glorot' | 'he' | 'release';

export interface InitialWeightsOptions {
  /** `glorot` unless given. */
  readonly initialiser?: Initialiser;
  /** Start of biases and shifts (`beta`) by name of the parameter, where it is not 0. */
  readonly starts?: ReadonlyMap<string, number>;
}

/**
 * Parameters to start training from, each from a stream of its own under `seed` and its name. Biases and `beta` are 0, `gamma`
 * is 1, moments are 0 and 1; an LSTM's recurrent weights have orthonormal rows, its forget gates' biases are 1 (as in Keras).
 */
export function initialWeights(
  graph: ModelGraph,
  seed: number,
  {initialiser = 'glorot', starts}: InitialWeightsOptions = {},
): Weights {
  const ops = new Map(graph.layers.map(({name, op}) => [name, op]));
  const weights = new Map<string, NamedArray>();
  for (const [name, shape] of parameterShapes(graph)) {
    const slash = name.lastIndexOf('/');
    const part = name.slice(slash + 1);
    const op = ops.get(name.slice(0, slash));
    const stream = counterStream(seed, name);
    const start = starts?.get(name) ?? (part === 'gamma' || part === 'variance' ? 1 : 0);
    if (part === 'weights') {
      const fans = fansOf(shape, op === 'depthwise-convolution');
      weights.set(name, {shape, data: drawn(sizeOf(shape), fans, initialiser, stream)});
    } else if (part === 'recurrent') {
      weights.set(name, {shape, data: orthonormalRows(shape, stream)});
    } else {
      const data = new Float32Array(sizeOf(shape)).fill(start);
      if (part === 'biases' && op === 'lstm') data.fill(1, data.length / 4, data.length / 2);
      weights.set(name, {shape, data});
    }
  }
  return weights;
}

/** Values that go into one output, and outputs that one value goes into. */
interface Fans {
  readonly inputs: number;
  readonly outputs: number;
}

/** Of dense weights (inputs, outputs) or a kernel (height, width, inputs, outputs). */
function fansOf(shape: readonly number[], isDepthwise: boolean): Fans {
  const [inputs = 1, outputs = 1] = shape.slice(-2);
  const area = sizeOf(shape.slice(0, -2));
  return isDepthwise ? {inputs: area, outputs: area} : {inputs: area * inputs, outputs: area * outputs};
}

function drawn(size: number, fans: Fans, initialiser: Initialiser, stream: CounterStream): Float32Array {
  if (initialiser === 'glorot') return glorotUniform(size, fans.inputs, fans.outputs, stream);
  const deviation = initialiser === 'he' ? Math.sqrt(2 / fans.inputs) / CUT_DEVIATION : 0.01;
  const data = new Float32Array(size);
  for (let i = 0; i < size; i++) data[i] = deviation * cutNormal(counterUniform(stream, i));
  return data;
}

/** Uniform among matrices (R, C), R <= C, with orthonormal rows: normal rows, made orthogonal one after the other. */
function orthonormalRows([rows = 0, columns = 0]: readonly number[], stream: CounterStream): Float32Array {
  const matrix: Float64Array[] = [];
  for (let row = 0; row < rows; row++) {
    const values = Float64Array.from({length: columns}, (_, i) =>
      normalQuantile(counterUniform(stream, row * columns + i)),
    );
    for (const other of matrix) {
      let product = 0;
      for (let i = 0; i < columns; i++) product += (other[i] as number) * (values[i] as number);
      for (let i = 0; i < columns; i++) values[i] = (values[i] as number) - product * (other[i] as number);
    }
    let square = 0;
    for (let i = 0; i < columns; i++) square += (values[i] as number) ** 2;
    const length = Math.sqrt(square);
    for (let i = 0; i < columns; i++) values[i] = (values[i] as number) / length;
    matrix.push(values);
  }
  const data = new Float32Array(rows * columns);
  for (const [row, values] of matrix.entries()) data.set(values, row * columns);
  return data;
}

/** Standard normal distribution function at -2. */
const CUT = 0.02275013194817921;
/** Standard deviation of a standard normal variable cut at -2 and 2. */
const CUT_DEVIATION = 0.8796256610342398;

/** A standard normal value between -2 and 2 from a uniform one in (0, 1), by inversion: one number in, one out. */
function cutNormal(uniform: number): number {
  return normalQuantile(CUT + uniform * (1 - 2 * CUT));
}
