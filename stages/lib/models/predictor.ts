import type {Tensor} from '@tensorflow/tfjs-core';
import type {Engine} from '../tensors/engine.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import {runGraph, type Pass} from './forward.ts';
import {planGraph, type GraphPlan} from './graph-plan.ts';
import type {ModelGraph} from './graph.ts';
import {checkWeights, layerShapes, parameterShapes, sizeOf} from './shapes.ts';
import {inputValues, rowsOf, type Arrays} from './value.ts';

/** A model with its weights on the engine. */
export interface Predictor {
  /** The model's outputs, by name, for its inputs, by name; examples are on the first axis of each, any number of them. */
  run(inputs: Arrays): Promise<Record<string, NamedArray>>;
  dispose(): void;
}

/** Throws StageError when the weights do not fit the graph. The arrays must not change while the predictor lives. */
export function createPredictor(engine: Engine, graph: ModelGraph, weights: Weights): Predictor {
  const {tf} = engine;
  checkWeights(graph, weights);
  const tensors = new Map<string, Tensor>();
  for (const name of parameterShapes(graph).keys()) {
    const {shape, data} = weights.get(name) as NamedArray;
    tensors.set(name, tf.keep(tf.tensor(data, [...shape], 'float32')));
  }
  const plan = planGraph(graph, graph.outputs);
  const pass: Pass = {get: (name) => tensors.get(name) as Tensor};
  return {
    run: (inputs) => infer(engine, graph, plan, pass, inputs),
    dispose: () => tf.dispose([...tensors.values()]),
  };
}

/** The values of a plan, by name, in inference: dropout does nothing, batch normalisation uses its running moments. */
export async function infer(
  engine: Engine,
  graph: ModelGraph,
  plan: GraphPlan,
  pass: Pass,
  inputs: Arrays,
): Promise<Record<string, NamedArray>> {
  const {tf} = engine;
  if (rowsOf(graph, inputs) === 0) return emptyOutputs(graph, plan.wanted, inputs);
  let shapes: readonly (readonly number[])[] = [];
  const tensors = tf.tidy(() => {
    const values = runGraph(engine, plan, inputValues(graph, engine, inputs), pass);
    shapes = values.map(({shape}) => shape);
    return values.map(({tensor}) => tensor);
  });
  try {
    const outputs: Record<string, NamedArray> = {};
    for (const [i, tensor] of tensors.entries()) {
      outputs[plan.wanted[i] as string] = {shape: shapes[i] ?? [], data: await tensor.data<'float32'>()};
    }
    return outputs;
  } finally {
    tf.dispose(tensors);
  }
}

/** Kernels differ on what has no elements; a length that the model leaves open is that of the first input that has it. */
function emptyOutputs(graph: ModelGraph, wanted: readonly string[], inputs: Arrays): Record<string, NamedArray> {
  const shapes = layerShapes(graph);
  const open = graph.inputs.flatMap(({name, shape}) => {
    const axis = shape.indexOf(null);
    return axis < 0 ? [] : [inputs[name]?.shape[axis + 1] ?? 0];
  });
  return Object.fromEntries(
    wanted.map((name) => {
      const shape = [0, ...(shapes.get(name) ?? []).map((size) => size ?? open[0] ?? 0)];
      return [name, {shape, data: new Float32Array(sizeOf(shape))}];
    }),
  );
}
