import type {ModelGraph} from '../models/graph.ts';
import {createPredictor} from '../models/predictor.ts';
import {loadEngine} from '../tensors/engine.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import {toOnnx} from './from-graph.ts';
import {openSession} from './session.ts';

/** A model ready for inference. */
export interface OpenModel {
  /** The model's outputs, by name, for its inputs, by name; examples are on the first axis of each, at least one. */
  run(inputs: Readonly<Record<string, NamedArray>>): Promise<Readonly<Record<string, NamedArray>>>;
  /** Frees the memory of the model. Nothing may be run afterwards. */
  release(): Promise<void>;
}

export interface ComputePlace {
  /** Class of the tensor engine. */
  readonly engine: string;
  /** Cores that one run may use. */
  readonly threads: number;
}

/**
 * Makes a model ready on an engine. On `onnx-blas` it runs as a whole in onnxruntime, which is faster than operation by
 * operation. Throws StageError when the engine cannot be had or the weights do not fit the graph.
 */
export async function openModel(graph: ModelGraph, weights: Weights, place: ComputePlace): Promise<OpenModel> {
  if (place.engine === 'onnx-blas') return openSession(toOnnx(graph, weights), place.threads);
  const predictor = createPredictor(await loadEngine(place), graph, weights);
  return {
    run: (inputs) => predictor.run(inputs),
    release: async () => predictor.dispose(),
  };
}
