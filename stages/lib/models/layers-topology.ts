import type {Layer, ModelGraph, ModelInput} from './graph.ts';
import {kerasMasks, type KerasMasks} from './layers-masks.ts';
import type {ExampleShape} from './shapes.ts';

/** A Keras 2 functional model, as TensorFlow.js's loadLayersModel and Keras read it. */
export interface LayersTopology {
  readonly class_name: 'Functional';
  readonly config: {
    readonly name: string;
    readonly layers: readonly {readonly class_name: string}[];
    readonly input_layers: readonly unknown[];
    readonly output_layers: readonly unknown[];
  };
}

/** Keras's names of what a layer's parameters are called here. */
export const KERAS_PARTS: Readonly<Record<string, string>> = {
  weights: 'kernel',
  biases: 'bias',
  recurrent: 'recurrent_kernel',
  gamma: 'gamma',
  beta: 'beta',
  mean: 'moving_mean',
  variance: 'moving_variance',
};

/** Classes of layers that Keras lacks; layers-script.ts has their code. */
export const OWN_CLASSES: ReadonlySet<string> = new Set([
  'MixdownAttentionPool',
  'MixdownMask',
  'MixdownMaskedMean',
  'MixdownNormalise',
]);

/**
 * The graph as a Keras functional model. Throws StageError for masks that it has no way to express.
 *
 * @param names - Keras's names, from kerasNames
 * @param shapes - of one example, by the names of inputs and layers
 */
export function layersTopology(
  graph: ModelGraph,
  names: ReadonlyMap<string, string>,
  shapes: ReadonlyMap<string, ExampleShape>,
): LayersTopology {
  const {inputs, layers, outputs} = graph;
  const masks = kerasMasks(graph);
  const nameOf = (name: string): string => names.get(name) as string;
  const place = (name: string): readonly unknown[] => [nameOf(name), 0, 0];
  return {
    class_name: 'Functional',
    config: {
      name: 'model',
      layers: [
        ...inputs.map((input) => inputLayer(input, nameOf(input.name))),
        ...layers.map((layer) => {
          const {className, config} = kerasLayer(layer, shapes.get(layer.inputs[0] ?? '') ?? [], masks);
          return {
            class_name: className,
            name: nameOf(layer.name),
            config: {name: nameOf(layer.name), trainable: true, dtype: 'float32', ...config},
            inbound_nodes: [(masks.inputs.get(layer.name) ?? []).map((name) => [...place(name), {}])],
          };
        }),
      ],
      input_layers: inputs.map(({name}) => place(name)),
      output_layers: outputs.map(place),
    },
  };
}

/**
 * Keras's names of inputs and layers: Keras allows no slash in them.
 *
 * @returns names by the graph's names, each once
 */
export function kerasNames({inputs, layers}: ModelGraph): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const {name} of [...inputs, ...layers]) {
    const plain = name.replaceAll(/[^A-Za-z0-9_.-]/g, '_').replace(/^[^A-Za-z0-9]/, 'x$&');
    let free = plain;
    for (let i = 2; taken.has(free); i++) free = `${plain}_${i}`;
    taken.add(free);
    names.set(name, free);
  }
  return names;
}

interface KerasLayer {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

function inputLayer({shape}: ModelInput, name: string): {readonly class_name: string} {
  const config = {name, batch_input_shape: [null, ...shape], dtype: 'float32', sparse: false};
  const layer = {class_name: 'InputLayer', name, config, inbound_nodes: []};
  return layer;
}

function kerasLayer(layer: Layer, inputShape: ExampleShape, masks: KerasMasks): KerasLayer {
  const image = {data_format: 'channels_last', padding: 'same'};
  const linear = {activation: 'linear', use_bias: true};
  switch (layer.op) {
    case 'expand':
      return {className: 'Reshape', config: {target_shape: [...inputShape.map((size) => size ?? -1), 1]}};
    case 'convolution': {
      const {filters, kernel, stride} = layer;
      const sizes = {filters, kernel_size: kernel, strides: [stride, stride], dilation_rate: [1, 1]};
      return {className: 'Conv2D', config: {...sizes, ...image, ...linear}};
    }
    case 'depthwise-convolution': {
      const {kernel, stride} = layer;
      const sizes = {kernel_size: kernel, strides: [stride, stride], dilation_rate: [1, 1], depth_multiplier: 1};
      return {className: 'DepthwiseConv2D', config: {...sizes, ...image, ...linear}};
    }
    case 'max-pool':
      return {className: 'MaxPooling2D', config: {pool_size: [2, 2], strides: [2, 2], ...image}};
    case 'image-mean':
      return {className: 'GlobalAveragePooling2D', config: {data_format: 'channels_last'}};
    case 'flatten':
      return {className: 'Flatten', config: {data_format: 'channels_last'}};
    case 'dense':
      return {className: 'Dense', config: {units: layer.units, ...linear}};
    case 'batch-norm': {
      const {epsilon, momentum} = layer;
      return {className: 'BatchNormalization', config: {axis: -1, momentum, epsilon, center: true, scale: true}};
    }
    case 'dropout':
      return {className: 'Dropout', config: {rate: layer.rate}};
    case 'relu6':
      return {className: 'ReLU', config: {max_value: 6}};
    case 'relu':
    case 'sigmoid':
    case 'softmax':
      return {className: 'Activation', config: {activation: layer.op}};
    case 'mask':
      return {className: masks.className, config: masks.className === 'Masking' ? {mask_value: 0} : {}};
    case 'series':
      return {className: 'RepeatVector', config: {n: 1}};
    case 'time-mean':
      if (layer.inputs.length > 1) return {className: 'MixdownMaskedMean', config: {}};
      return {className: 'GlobalAveragePooling1D', config: {data_format: 'channels_last'}};
    case 'attention-pool':
      return {className: 'MixdownAttentionPool', config: {norm: layer.norm}};
    case 'lstm': {
      const gates = {activation: 'tanh', recurrent_activation: 'sigmoid', use_bias: true, unit_forget_bias: true};
      return {
        className: 'LSTM',
        config: {units: layer.units, ...gates, return_sequences: false, return_state: false, implementation: 1},
      };
    }
    case 'concat':
      return {className: 'Concatenate', config: {axis: -1}};
    case 'sum':
      return {className: 'Add', config: {}};
    case 'mean':
      return {className: 'Average', config: {}};
    case 'normalise':
      return {className: 'MixdownNormalise', config: {}};
  }
}
