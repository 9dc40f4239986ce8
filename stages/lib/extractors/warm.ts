import {readSafeTensors} from '../formats/safetensors.ts';
import {keepLast} from '../keep-last.ts';
import type {ModelGraph} from '../models/graph.ts';
import type {ComputePlace} from '../onnx/open-model.ts';
import type {Weights} from '../tensors/named-array.ts';
import {createExtractor, type Extractor} from './extractor.ts';

/**
 * The extractor with the weights of a .safetensors file, kept open from one clip to the next.
 *
 * @param variant - what besides the weights decides the graph
 * @param graphOf - the network that the weights are for
 */
export function warmExtractor(
  path: string,
  variant: string,
  {engine, threads}: ComputePlace,
  graphOf: (weights: Weights) => ModelGraph,
): Promise<Extractor> {
  return keep(path, [variant, engine, threads].join('\n'), () => {
    const {tensors} = readSafeTensors(path, 'the weights');
    return createExtractor({graph: graphOf(tensors), weights: tensors, engine, threads});
  });
}

const keep = keepLast<Extractor>((extractor) => extractor.release());
