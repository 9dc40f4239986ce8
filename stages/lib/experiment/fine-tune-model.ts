import type {Layer, ModelGraph} from '../models/graph.ts';
import {initialWeights} from '../models/initial-weights.ts';
import {layerShapes, parameterShapes} from '../models/shapes.ts';
import {vggishGraph, withHead} from '../models/vggish.ts';
import type {Weights} from '../tensors/named-array.ts';

/** What of the network learns: everything, the dense layers and the head, or the head only. */
export type Trained = 'all' | 'dense' | 'head';

/** A network that classifies patches, with the weights to start from. */
export interface Classifier {
  readonly graph: ModelGraph;
  readonly weights: Weights;
}

/** VGGish of the weights' width with a new, seeded head on its embedding. Throws StageError when they are no VGGish's. */
export function classifierOn(
  extractor: Weights,
  {hidden, classes, seed}: {readonly hidden: number; readonly classes: number; readonly seed: number},
): Classifier {
  const graph = withHead(vggishGraph({weights: extractor}), {hidden, classes});
  const head = cutGraph(graph, (layer) => layer.startsWith(HEAD))?.back;
  const fresh: Weights = head === undefined ? new Map() : initialWeights(head, seed);
  const names = [...parameterShapes(graph).keys()];
  const weights = names.flatMap((name) => {
    const array = fresh.get(name) ?? extractor.get(name);
    return array === undefined ? [] : [[name, array] as const];
  });
  return {graph, weights: new Map(weights)};
}

/** Whether a layer learns. */
export function trainsLayer(trained: Trained, layer: string): boolean {
  switch (trained) {
    case 'all':
      return true;
    case 'dense':
      return layer.startsWith(HEAD) || layer.startsWith('vggish/fc');
    case 'head':
      return layer.startsWith(HEAD);
  }
}

/** A graph in two: `back` begins with what `front` gives. */
export interface CutGraph {
  readonly front: ModelGraph;
  readonly back: ModelGraph;
}

/**
 * Cuts a graph of one input before the first layer with parameters that learn. Undefined when nothing before it has
 * parameters, or when more than one value would go over the cut.
 */
export function cutGraph(graph: ModelGraph, learns: (layer: string) => boolean): CutGraph | undefined {
  const withParameters = new Set(
    [...parameterShapes(graph).keys()].map((parameter) => parameter.slice(0, parameter.lastIndexOf('/'))),
  );
  const at = graph.layers.findIndex(({name}) => withParameters.has(name) && learns(name));
  const [front, back] = [graph.layers.slice(0, at), graph.layers.slice(at)];
  const [input] = back[0]?.inputs ?? [];
  if (at < 0 || input === undefined || !front.some(({name}) => withParameters.has(name))) return undefined;
  const known = new Set([input, ...back.map(({name}) => name)]);
  const isWhole = ({inputs}: Layer): boolean => inputs.every((name) => known.has(name));
  if (!back.every(isWhole) || !graph.outputs.every((name) => known.has(name))) return undefined;
  return {
    front: {inputs: graph.inputs, layers: front, outputs: [input]},
    back: {inputs: [{name: input, shape: layerShapes(graph).get(input) ?? []}], layers: back, outputs: graph.outputs},
  };
}

const HEAD = 'head/';
