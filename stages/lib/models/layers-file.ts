import {readFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import {graphFromJson} from './graph-json.ts';
import type {ModelGraph} from './graph.ts';
import {checkWeights, sizeOf} from './shapes.ts';
import {LAYERS_TYPE, type LayersModel} from './to-layers.ts';

/**
 * Reads back what toLayers made: the graph and the parameters under their own names. Throws StageError when one of the files
 * is damaged, or was made by another program. `name` stands for model.json in messages.
 */
export function readLayersFile(
  jsonPath: string,
  weightsPath: string,
  name: string,
): {readonly graph: ModelGraph; readonly weights: Weights} {
  const {weightsManifest, userDefinedMetadata} = parseModel(jsonPath, name);
  const {parameters} = userDefinedMetadata;
  const graph = graphFromJson(userDefinedMetadata.graph, name);
  const entries = weightsManifest[0].weights;
  const bytes = readFileSync(weightsPath);
  const sizes = entries.map(({shape}) => 4 * sizeOf(shape));
  const needed = sizes.reduce((sum, size) => sum + size, 0);
  if (entries.length !== parameters.length || bytes.length !== needed) {
    throw new StageError(
      `the weights beside ${name} have ${bytes.length} bytes, ${needed} are described: one of the files is damaged`,
      'copy or export the model again',
    );
  }
  const weights = new Map<string, NamedArray>();
  let start = 0;
  for (const [i, {shape}] of entries.entries()) {
    const end = start + (sizes[i] as number);
    // A copy: a float32 view must start at a multiple of 4 of its buffer.
    weights.set(parameters[i] as string, {
      shape,
      data: new Float32Array(new Uint8Array(bytes.subarray(start, end)).buffer),
    });
    start = end;
  }
  checkWeights(graph, weights);
  return {graph, weights};
}

function parseModel(path: string, name: string): LayersModel {
  const wrong = (what: string): StageError =>
    new StageError(
      `${name} is no model that mixdown wrote: ${what}`,
      'export the model again, with stage export-model',
    );
  let value: Partial<LayersModel> | null;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as Partial<LayersModel> | null;
  } catch (error) {
    if (error instanceof SyntaxError) throw wrong('it is not JSON');
    throw error;
  }
  const metadata = value?.userDefinedMetadata;
  if ((metadata?.type as string | undefined) !== LAYERS_TYPE) throw wrong('it has no description of its graph');
  if (!Array.isArray(metadata?.parameters) || !Array.isArray(value?.weightsManifest?.[0]?.weights)) {
    throw wrong('it has no list of its weights');
  }
  return value as LayersModel;
}
