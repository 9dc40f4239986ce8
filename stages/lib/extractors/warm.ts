import {statSync} from 'node:fs';
import {readSafeTensors} from '../formats/safetensors.ts';
import type {ModelGraph} from '../models/graph.ts';
import type {ComputePlace} from '../onnx/open-model.ts';
import type {Weights} from '../tensors/named-array.ts';
import {createExtractor, type Extractor} from './extractor.ts';

/**
 * The extractor with the weights of a .safetensors file. It stays open: a later call with the same file, unchanged, and the
 * same variant and place gives it again; any other call closes it first. One job at a time may use it.
 *
 * @param variant - what besides the weights decides the graph
 * @param graphOf - the network that the weights are for
 */
export async function warmExtractor(
  path: string,
  variant: string,
  {engine, threads}: ComputePlace,
  graphOf: (weights: Weights) => ModelGraph,
): Promise<Extractor> {
  const {dev, ino, size, mtimeNs, ctimeNs} = statSync(path, {bigint: true});
  const key = [path, dev, ino, size, mtimeNs, ctimeNs, variant, engine, threads].join('\n');
  if (warm.last?.key === key) return warm.last.extractor;
  const before = warm.last?.extractor;
  delete warm.last;
  await before?.release();
  const {tensors} = readSafeTensors(path, 'the weights');
  const extractor = await createExtractor({graph: graphOf(tensors), weights: tensors, engine, threads});
  warm.last = {key, extractor};
  return extractor;
}

/**
 * An exception to "no state in modules": a stage runs once per clip in a worker that stays alive, and reading 288 MB of
 * weights takes longer than most clips. It holds one extractor, and changes no result.
 */
const warm: {last?: {readonly key: string; readonly extractor: Extractor}} = {};
