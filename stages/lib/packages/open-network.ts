import {StageError} from 'mixdown/stage';
import {createPredictor} from '../models/predictor.ts';
import {toOnnx} from '../onnx/from-graph.ts';
import {openSession} from '../onnx/session.ts';
import {loadEngine} from '../tensors/engine.ts';
import type {NamedArray} from '../tensors/named-array.ts';
import type {Network} from './package-writer.ts';

/** What to compute with. */
export interface Place {
  /** Class of the tensor engine. */
  readonly engine: string;
  /** Cores. */
  readonly threads: number;
}

/** A network of one input and one output, ready to compute. */
export interface OpenNetwork {
  run(examples: NamedArray): Promise<NamedArray>;
  dispose(): Promise<void>;
}

/**
 * Puts a network on the engine. Where that is `onnx-blas`, a network of `patches`, which is mostly convolutions, is computed
 * by onnxruntime itself, as the stages that extract features do.
 */
export async function openNetwork(
  {graph, weights}: Network,
  takes: 'patches' | 'vectors',
  {engine: name, threads}: Place,
): Promise<OpenNetwork> {
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  if (input === undefined || output === undefined || graph.inputs.length > 1) {
    throw new StageError('a network of a package has one input, and an output');
  }
  const pick = (outputs: Readonly<Record<string, NamedArray>>): NamedArray => outputs[output] as NamedArray;
  if (takes === 'patches' && name === 'onnx-blas') {
    const session = await openSession(toOnnx(graph, weights), threads);
    return {
      run: async (examples) => pick(await session.run({[input.name]: examples})),
      dispose: () => session.release(),
    };
  }
  const predictor = createPredictor(await loadEngine({engine: name, threads}), graph, weights);
  return {
    run: async (examples) => pick(await predictor.run({[input.name]: examples})),
    async dispose() {
      predictor.dispose();
    },
  };
}
