import {StageError} from 'mixdown/stage';
import {ATTENTION_NORMS, type Layer, type LayerKind, type ModelGraph, type ModelInput} from './graph.ts';
import {layerShapes} from './shapes.ts';

/**
 * A graph read from JSON, checked field by field and by layerShapes. Throws StageError; `name` stands for where it was.
 * Settings that a layer does not have are left out.
 */
export function graphFromJson(value: unknown, name: string): ModelGraph {
  const broken = (what: string): StageError => new StageError(`${name} does not hold a model: ${what}`);
  if (!isRecord(value)) throw broken('its graph is not an object');
  const {inputs, layers, outputs} = value;
  if (!Array.isArray(inputs) || !inputs.every(isInput)) throw broken('an input lacks its name or shape');
  if (!isNames(outputs)) throw broken('its outputs are not a list of names');
  if (!Array.isArray(layers)) throw broken('its layers are not a list');
  const graph: ModelGraph = {
    inputs: inputs.map((input) => ({name: input.name, shape: input.shape})),
    layers: layers.map((layer, i): Layer => {
      if (!isRecord(layer) || typeof layer['name'] !== 'string' || !isNames(layer['inputs'])) {
        throw broken(`layer ${i + 1} lacks its name or inputs`);
      }
      const kind = kindOf(layer);
      if (kind === undefined) throw broken(`layer \`${layer['name']}\` is of no known kind or lacks a setting`);
      return {name: layer['name'], inputs: layer['inputs'], ...kind};
    }),
    outputs,
  };
  layerShapes(graph);
  return graph;
}

type Fields = Readonly<Record<string, unknown>>;

/** The kind of layer with its settings; undefined when one is missing or of another type. */
function kindOf(layer: Fields): LayerKind | undefined {
  const {op, kernel, stride, filters, units, epsilon, momentum, rate, norm} = layer;
  switch (op) {
    case 'expand':
    case 'max-pool':
    case 'image-mean':
    case 'flatten':
    case 'relu':
    case 'relu6':
    case 'sigmoid':
    case 'softmax':
    case 'mask':
    case 'series':
    case 'time-mean':
    case 'concat':
    case 'sum':
    case 'mean':
    case 'normalise':
      return {op};
    case 'convolution':
      return isPair(kernel) && isNumber(stride) && isNumber(filters) ? {op, filters, kernel, stride} : undefined;
    case 'depthwise-convolution':
      return isPair(kernel) && isNumber(stride) ? {op, kernel, stride} : undefined;
    case 'dense':
    case 'lstm':
      return isNumber(units) ? {op, units} : undefined;
    case 'batch-norm':
      return isNumber(epsilon) && isNumber(momentum) ? {op, epsilon, momentum} : undefined;
    case 'dropout':
      return isNumber(rate) ? {op, rate} : undefined;
    case 'attention-pool': {
      const known = ATTENTION_NORMS.find((candidate) => candidate === norm);
      return known === undefined ? undefined : {op, norm: known};
    }
    default:
      return undefined;
  }
}

function isInput(value: unknown): value is ModelInput {
  if (!isRecord(value) || typeof value['name'] !== 'string') return false;
  const {shape} = value;
  return Array.isArray(shape) && shape.every((size) => size === null || isNumber(size));
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isPair(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(isNumber);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
