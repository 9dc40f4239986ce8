import {StageError} from 'mixdown/stage';
import type {Weights} from '../tensors/named-array.ts';
import type {Layer, ModelGraph} from './graph.ts';

/** Of one example; null where examples of a batch share a length that the model does not fix. */
export type ExampleShape = readonly (number | null)[];

/**
 * Shape of one example of each input and each layer's value, by name. Throws StageError, naming the layer, where the graph
 * is not one that can be computed: a name used twice or unknown, inputs of the wrong number, rank or size.
 */
export function layerShapes(graph: ModelGraph): ReadonlyMap<string, ExampleShape> {
  const shapes = new Map<string, ExampleShape>();
  const add = (name: string, shape: ExampleShape): void => {
    if (shapes.has(name)) throw new StageError(`the model has two layers or inputs called \`${name}\``);
    shapes.set(name, shape);
  };
  for (const {name, shape} of graph.inputs) {
    if (shape.some((size) => size !== null && !isSize(size))) throw problem(name, 'its shape has a size below 1');
    add(name, shape);
  }
  for (const layer of graph.layers) {
    const inputs = layer.inputs.map((name) => {
      const shape = shapes.get(name);
      if (shape === undefined) throw problem(layer.name, `its input \`${name}\` is not an input or an earlier layer`);
      return shape;
    });
    add(layer.name, outputShape(layer, inputs));
  }
  if (graph.outputs.length === 0) throw new StageError('the model has no outputs');
  for (const name of graph.outputs) {
    if (!shapes.has(name)) throw new StageError(`the model's output \`${name}\` is not one of its layers`);
  }
  return shapes;
}

/** Shape of each parameter by name, in the order of the layers; the running moments of batch normalisations included. */
export function parameterShapes(graph: ModelGraph): ReadonlyMap<string, readonly number[]> {
  const shapes = layerShapes(graph);
  const parameters = new Map<string, readonly number[]>();
  for (const layer of graph.layers) {
    // layerShapes has refused layers with parameters on an axis that is not fixed.
    const channels = shapes.get(layer.inputs[0] ?? '')?.at(-1) ?? 0;
    for (const [part, shape] of partsOf(layer, channels)) parameters.set(`${layer.name}/${part}`, shape);
  }
  return parameters;
}

/** Whether training moves the parameter by its gradient; the others are running moments. */
export function hasGradient(parameter: string): boolean {
  return !/\/(?:mean|variance)$/.test(parameter);
}

/** Throws StageError naming the first parameter that is missing, of another shape or not finite. More weights are fine. */
export function checkWeights(graph: ModelGraph, weights: Weights, hint?: string): void {
  for (const [name, shape] of parameterShapes(graph)) {
    const found = weights.get(name);
    if (found === undefined) throw new StageError(`the weights have no tensor \`${name}\``, hint);
    if (found.shape.length !== shape.length || found.shape.some((size, i) => size !== shape[i])) {
      throw new StageError(
        `tensor \`${name}\` has shape [${found.shape.join(', ')}]; [${shape.join(', ')}] is expected`,
        hint,
      );
    }
    if (!found.data.every(Number.isFinite)) {
      throw new StageError(`tensor \`${name}\` holds a value that is not a finite number`, hint);
    }
  }
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}

function outputShape(layer: Layer, inputs: readonly ExampleShape[]): ExampleShape {
  const {name} = layer;
  switch (layer.op) {
    case 'expand':
      return [...one(name, inputs), 1];
    case 'convolution': {
      const [height, width] = image(name, inputs);
      positive(name, 'filters', layer.filters);
      return [...strided(layer, height, width), layer.filters];
    }
    case 'depthwise-convolution': {
      const [height, width, channels] = image(name, inputs);
      return [...strided(layer, height, width), channels];
    }
    case 'max-pool': {
      const [height, width, channels] = image(name, inputs);
      return [Math.ceil(height / 2), Math.ceil(width / 2), channels];
    }
    case 'image-mean':
      return [image(name, inputs)[2]];
    case 'flatten':
      return [image(name, inputs).reduce((size, axis) => size * axis, 1)];
    case 'dense': {
      const shape = rows(name, inputs);
      positive(name, 'units', layer.units);
      return [...shape.slice(0, -1), layer.units];
    }
    case 'batch-norm':
      if (!(layer.epsilon > 0)) throw problem(name, `epsilon is ${layer.epsilon}; it must be above 0`);
      if (!(layer.momentum >= 0 && layer.momentum < 1)) {
        throw problem(name, `momentum is ${layer.momentum}; it must be from 0 and below 1`);
      }
      return atLeast(name, unmasked(name, inputs, 1), 1);
    case 'dropout':
      if (!(layer.rate >= 0 && layer.rate < 1))
        throw problem(name, `rate is ${layer.rate}; it must be from 0 and below 1`);
      return one(name, inputs);
    case 'relu':
    case 'relu6':
    case 'sigmoid':
      return one(name, inputs);
    case 'softmax':
      return atLeast(name, inputs, 1);
    case 'mask':
      return [series(name, inputs)[0]];
    case 'series': {
      const shape = atLeast(name, inputs, 1);
      if (shape.length > 1) throw problem(name, `its input has ${shape.length} axes; one is needed`);
      return [1, ...shape];
    }
    case 'time-mean':
      return [series(name, unmasked(name, inputs, 1))[1]];
    case 'attention-pool': {
      if (inputs.length < 2) throw problem(name, `it has ${inputs.length} inputs; scores and attention are needed`);
      unmasked(name, inputs, 2);
      const [length, classes] = series(name, inputs.slice(0, 1));
      const [otherLength, otherClasses] = series(name, inputs.slice(1, 2));
      if (length !== otherLength || classes !== otherClasses)
        throw problem(name, 'scores and attention differ in shape');
      return [classes];
    }
    case 'lstm':
      series(name, unmasked(name, inputs, 1));
      positive(name, 'units', layer.units);
      return [layer.units];
    case 'concat': {
      const first = inputs[0];
      if (first === undefined || first.length === 0) throw problem(name, 'it has nothing to join');
      const front = first.slice(0, -1);
      if (!inputs.every((shape) => equal(shape.slice(0, -1), front))) {
        throw problem(name, 'its inputs differ in more than the last axis');
      }
      return [...front, inputs.reduce((total, shape) => total + lastAxis(name, shape), 0)];
    }
    case 'sum':
    case 'mean': {
      const first = inputs[0];
      if (first === undefined) throw problem(name, 'it has nothing to add');
      if (!inputs.every((shape) => equal(shape, first))) throw problem(name, 'its inputs differ in shape');
      return first;
    }
    case 'normalise':
      return atLeast(name, inputs, 1);
  }
}

function partsOf(layer: Layer, channels: number): readonly (readonly [part: string, shape: readonly number[]])[] {
  switch (layer.op) {
    case 'convolution':
      return [
        ['weights', [...layer.kernel, channels, layer.filters]],
        ['biases', [layer.filters]],
      ];
    case 'depthwise-convolution':
      return [
        ['weights', [...layer.kernel, channels, 1]],
        ['biases', [channels]],
      ];
    case 'dense':
      return [
        ['weights', [channels, layer.units]],
        ['biases', [layer.units]],
      ];
    case 'batch-norm':
      return ['gamma', 'beta', 'mean', 'variance'].map((part) => [part, [channels]] as const);
    case 'lstm':
      return [
        ['weights', [channels, 4 * layer.units]],
        ['recurrent', [layer.units, 4 * layer.units]],
        ['biases', [4 * layer.units]],
      ];
    default:
      return [];
  }
}

/** SAME padding: the size depends on the stride only. */
function strided(
  {name, kernel, stride}: {readonly name: string; readonly kernel: readonly [number, number]; readonly stride: number},
  height: number,
  width: number,
): readonly [number, number] {
  for (const size of kernel) positive(name, 'kernel', size);
  positive(name, 'stride', stride);
  return [Math.ceil(height / stride), Math.ceil(width / stride)];
}

function one(name: string, inputs: readonly ExampleShape[]): ExampleShape {
  const [shape] = inputs;
  if (shape === undefined || inputs.length > 1) throw problem(name, `it has ${inputs.length} inputs; one is needed`);
  return shape;
}

function atLeast(name: string, inputs: readonly ExampleShape[], rank: number): ExampleShape {
  const shape = one(name, inputs);
  if (shape.length < rank) throw problem(name, `its input has ${shape.length} axes; ${rank} or more are needed`);
  lastAxis(name, shape);
  return shape;
}

/** The inputs without the mask that may follow the first `count`. */
function unmasked(name: string, inputs: readonly ExampleShape[], count: number): readonly ExampleShape[] {
  const [mask, ...more] = inputs.slice(count);
  if (more.length > 0) throw problem(name, `it has ${inputs.length} inputs; ${count} and a mask are the most`);
  const [shape = []] = inputs;
  if (mask !== undefined && (shape.length !== 2 || !equal(mask, shape.slice(0, 1)))) {
    throw problem(name, 'its mask is not one value for each vector of its series');
  }
  return inputs.slice(0, count);
}

/** Rows, or a series of them. */
function rows(name: string, inputs: readonly ExampleShape[]): ExampleShape {
  const shape = atLeast(name, inputs, 1);
  if (shape.length > 2) throw problem(name, `its input has ${shape.length} axes; one or two are needed`);
  return shape;
}

function series(name: string, inputs: readonly ExampleShape[]): readonly [length: number | null, width: number] {
  const shape = one(name, inputs);
  if (shape.length !== 2) throw problem(name, `its input has ${shape.length} axes; time and values are needed`);
  return [shape[0] as number | null, lastAxis(name, shape)];
}

function image(
  name: string,
  inputs: readonly ExampleShape[],
): readonly [height: number, width: number, channels: number] {
  const shape = one(name, inputs);
  const [height, width, channels] = shape;
  if (shape.length !== 3) {
    throw problem(name, `its input has ${shape.length} axes; height, width and channels are needed`);
  }
  if (typeof height !== 'number' || typeof width !== 'number' || typeof channels !== 'number') {
    throw problem(name, 'the size of its image is not fixed');
  }
  return [height, width, channels];
}

function lastAxis(name: string, shape: ExampleShape): number {
  const last = shape.at(-1);
  if (typeof last !== 'number') throw problem(name, 'the last axis of its input is not fixed');
  return last;
}

function positive(name: string, what: string, value: number): void {
  if (!isSize(value)) throw problem(name, `${what} is ${value}; a whole number from 1 is needed`);
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function equal(a: ExampleShape, b: ExampleShape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

function problem(name: string, what: string): StageError {
  return new StageError(`layer \`${name}\` of the model cannot be computed: ${what}`);
}
