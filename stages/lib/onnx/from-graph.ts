import type {ModelGraph} from '../models/graph.ts';
import {checkWeights, layerShapes, type ExampleShape} from '../models/shapes.ts';
import type {Weights} from '../tensors/named-array.ts';
import {encodeModel, type ValueInfo} from './encode.ts';
import {graphBuilder, type GraphBuilder} from './graph-builder.ts';
import {layerNodes} from './layer-nodes.ts';

/**
 * The model for inference as an ONNX file: inputs and outputs have the names and axes that they have in the graph, after a
 * first axis `batch` of any size; sizes that the graph leaves open are called `length`. Inside, images lie as (batch,
 * channels, height, width). Weights that the graph does not have are left out.
 * Throws StageError when the graph cannot be computed, when a parameter is missing, of another shape or not finite, and when
 * the file would have 2 GB or more.
 */
export function toOnnx(
  graph: ModelGraph,
  weights: Weights,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  checkWeights(graph, weights);
  const shapes = layerShapes(graph);
  const shapeOf = (name: string): ExampleShape => shapes.get(name) as ExampleShape;
  const builder = graphBuilder();
  const values = new Map<string, string>();
  for (const {name, shape} of graph.inputs) values.set(name, isImage(shape) ? toChannelsFirst(builder, name) : name);
  for (const layer of graph.layers) {
    const output = isImage(shapeOf(layer.name)) ? `${layer.name}:image` : layer.name;
    const inputs = layer.inputs.map((name) => ({name: values.get(name) as string, shape: shapeOf(name)}));
    values.set(layer.name, layerNodes(builder, layer, inputs, output, weights));
  }
  // An input may be an output as it is.
  const inputNames = new Set(graph.inputs.map(({name}) => name));
  for (const name of graph.outputs) {
    if (inputNames.has(name)) continue;
    const value = values.get(name) as string;
    if (isImage(shapeOf(name))) builder.node('Transpose', [value], name, {perm: {ints: [0, 2, 3, 1]}});
    else if (value !== name) builder.node('Identity', [value], name);
  }
  const info = (name: string): ValueInfo => ({
    name,
    shape: ['batch', ...shapeOf(name).map((size) => size ?? 'length')],
  });
  return encodeModel({
    inputs: graph.inputs.map(({name}) => info(name)),
    outputs: graph.outputs.map(info),
    nodes: builder.nodes,
    initialisers: builder.initialisers,
    metadata,
  });
}

function toChannelsFirst(builder: GraphBuilder, name: string): string {
  return builder.node('Transpose', [name], `${name}:image`, {perm: {ints: [0, 3, 1, 2]}});
}

/** Height, width and channels. */
function isImage(shape: ExampleShape): boolean {
  return shape.length === 3;
}
