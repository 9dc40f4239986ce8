import {readSafeTensors} from '../formats/safetensors.ts';
import type {ModelGraph} from '../models/graph.ts';
import {parameterShapes} from '../models/shapes.ts';
import {vggishGraph, type EmbeddingActivation} from '../models/vggish.ts';
import {YAMNET_EMBEDDINGS, yamnetGraph} from '../models/yamnet.ts';
import type {Weights} from '../tensors/named-array.ts';
import type {Network} from './package-writer.ts';

export const EXTRACTOR_NAMES = ['vggish', 'yamnet'] as const;
export type ExtractorName = (typeof EXTRACTOR_NAMES)[number];

/**
 * The part of an extractor that makes the vectors, from the weights that its stage takes. Throws StageError when they are of
 * another network.
 */
export function extractorNetwork(name: ExtractorName, path: string, embeddingActivation: EmbeddingActivation): Network {
  const {tensors} = readSafeTensors(path, "the extractor's weights");
  const graph =
    name === 'vggish'
      ? vggishGraph({weights: tensors}, {embeddingActivation})
      : graphUpTo(yamnetGraph(), YAMNET_EMBEDDINGS);
  return {graph, weights: ownWeights(graph, tensors)};
}

/** The layers that one of them needs, with that as the only output. */
function graphUpTo({inputs, layers}: ModelGraph, output: string): ModelGraph {
  const needed = new Set([output]);
  for (const layer of [...layers].reverse()) {
    if (needed.has(layer.name)) for (const name of layer.inputs) needed.add(name);
  }
  return {inputs, layers: layers.filter(({name}) => needed.has(name)), outputs: [output]};
}

/** A fine-tuned network has a head besides. */
function ownWeights(graph: ModelGraph, weights: Weights): Weights {
  const names = parameterShapes(graph);
  return new Map([...weights].filter(([name]) => names.has(name)));
}
