import {StageError} from 'mixdown/stage';
import type {Layer, ModelGraph} from './graph.ts';

/** How the masks of a graph come to its layers in Keras. */
export interface KerasMasks {
  /** Class of the layers that make masks. */
  readonly className: 'Masking' | 'MixdownMask';
  /** What each layer takes, by its name. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
}

/**
 * The pools are own layers, which take a mask as here: as an input, made by a layer of its own. Keras' LSTM has no such input.
 * Its mask is made by a Masking layer, through which the series goes, and goes along with what is made of that, until a layer
 * makes one row of it. Batch normalisations are without, for inference. Throws StageError where a layer would get another
 * mask that way than it has, or none.
 */
export function kerasMasks(graph: ModelGraph): KerasMasks {
  if (graph.layers.some(({op, inputs}) => op === 'lstm' && inputs.length > 1)) {
    return {className: 'Masking', inputs: impliedMasks(graph)};
  }
  const inputs = graph.layers.map(
    ({name, op, inputs}) => [name, op === 'batch-norm' ? inputs.slice(0, 1) : inputs] as const,
  );
  return {className: 'MixdownMask', inputs: new Map(inputs)};
}

function impliedMasks({layers, outputs}: ModelGraph): ReadonlyMap<string, readonly string[]> {
  const inputs = new Map<string, readonly string[]>();
  const masks = new Set<string>();
  /** The Masking layer that stands for a series. */
  const standIns = new Map<string, string>();
  /** By name of a value, the mask that goes along with it. */
  const along = new Map<string, string>();
  for (const layer of layers) {
    const {name, op} = layer;
    const [first = '', own] = layer.inputs;
    const values = op === 'lstm' || op === 'batch-norm' ? [first] : layer.inputs;
    const mask = along.get(first);
    if (values.some((value) => masks.has(value))) throw refusal(layer);
    inputs.set(
      name,
      values.map((value) => standIns.get(value) ?? value),
    );
    if (op === 'mask') {
      if (masks.size > 0) throw refusal(layer);
      masks.add(name);
      standIns.set(first, name);
      along.set(first, name);
    } else if (PASS_ON.has(op)) {
      if (mask !== undefined) along.set(name, mask);
    } else if (op === 'lstm') {
      if (own !== mask) throw refusal(layer);
    } else if (values.some((value) => along.has(value))) throw refusal(layer);
  }
  const shown = layers.find(({name}) => masks.has(name) && outputs.includes(name));
  if (shown !== undefined) throw refusal(shown);
  return inputs;
}

/** Layers that act on each vector, which Keras lets masks through. */
const PASS_ON: ReadonlySet<Layer['op']> = new Set([
  'dense',
  'batch-norm',
  'dropout',
  'relu',
  'sigmoid',
  'softmax',
] as const);

function refusal({name}: Layer): StageError {
  return new StageError(
    `layer \`${name}\` cannot be expressed in the layers format: the mask of an LSTM goes along with values there`,
    'mask the input once, before all other layers, and let the LSTM be the only layer that looks along time',
  );
}
