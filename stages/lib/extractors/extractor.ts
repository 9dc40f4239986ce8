import type {ModelGraph} from '../models/graph.ts';
import {layerShapes} from '../models/shapes.ts';
import {openModel, type ComputePlace} from '../onnx/open-model.ts';
import type {Weights} from '../tensors/named-array.ts';

/** A network that turns patches into vectors. */
export interface Extractor {
  /** Values of one patch in an output. */
  widthOf(output: string): number;
  /** Each output, by name, as rows (count, width), for patches (count, frames, bands), at least one. */
  run(patches: Float32Array, count: number): Promise<Readonly<Record<string, Float32Array>>>;
  /** Frees the memory. Nothing may be run afterwards. */
  release(): Promise<void>;
}

export interface ExtractorRequest extends ComputePlace {
  /** One input of a fixed size, outputs of one axis. */
  readonly graph: ModelGraph;
  readonly weights: Weights;
}

/**
 * Makes a network ready. A result does not depend on the other patches of its batch. Throws StageError when the engine
 * cannot be had or the weights do not fit the graph.
 */
export async function createExtractor({graph, weights, ...place}: ExtractorRequest): Promise<Extractor> {
  const [{name, shape}] = graph.inputs as [ModelGraph['inputs'][number]];
  const sizes = shape.map((size) => size as number);
  const shapes = layerShapes(graph);
  const model = await openModel(graph, weights, place);
  return {
    widthOf: (output) => shapes.get(output)?.[0] ?? 0,
    async run(patches, count) {
      const results = await model.run({[name]: {shape: [count, ...sizes], data: patches}});
      return Object.fromEntries(Object.entries(results).map(([output, {data}]) => [output, data]));
    },
    release: () => model.release(),
  };
}
