import type {Weights} from '../tensors/named-array.ts';
import type {ModelGraph} from './graph.ts';
import {kerasNames, KERAS_PARTS, layersTopology, OWN_CLASSES, type LayersTopology} from './layers-topology.ts';
import {checkWeights, layerShapes, parameterShapes} from './shapes.ts';

/** A model in the TensorFlow.js layers format: the content of `model.json` and of `weights.bin`. */
export interface LayersFile {
  readonly model: LayersModel;
  /** The parameters, float32, little endian, C order, in the order of the manifest. */
  readonly weights: Uint8Array;
  /** The model has layers of layers-script.ts. */
  readonly hasOwnLayers: boolean;
}

export interface LayersModel {
  readonly format: 'layers-model';
  readonly generatedBy: string;
  readonly convertedBy: null;
  readonly modelTopology: LayersTopology;
  readonly weightsManifest: readonly [{readonly paths: readonly [string]; readonly weights: readonly ManifestEntry[]}];
  /** The model as mixdown has it: its graph, and the names of its parameters in the order of the manifest. */
  readonly userDefinedMetadata: {
    readonly type: typeof LAYERS_TYPE;
    readonly graph: ModelGraph;
    readonly parameters: readonly string[];
  };
}

export interface ManifestEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32';
}

export const LAYERS_TYPE = 'model-graph/1';

/**
 * The model as `tf.loadLayersModel` reads it. Throws StageError when a parameter is missing, of another shape or not finite;
 * weights that the graph does not have are left out.
 *
 * @param weightsName - name of the file with the weights, beside model.json
 */
export function toLayers(graph: ModelGraph, weights: Weights, weightsName: string): LayersFile {
  const names = kerasNames(graph);
  const depthwise = new Set(graph.layers.filter(({op}) => op === 'depthwise-convolution').map(({name}) => name));
  checkWeights(graph, weights);
  const parameters = [...parameterShapes(graph)];
  const entries = parameters.map(([name, shape]): ManifestEntry => {
    const slash = name.lastIndexOf('/');
    const layer = name.slice(0, slash);
    const part = KERAS_PARTS[name.slice(slash + 1)] as string;
    const prefix = part === 'kernel' && depthwise.has(layer) ? 'depthwise_' : '';
    return {name: `${names.get(layer)}/${prefix}${part}`, shape, dtype: 'float32'};
  });
  const topology = layersTopology(graph, names, layerShapes(graph));
  return {
    model: {
      format: 'layers-model',
      generatedBy: 'mixdown',
      convertedBy: null,
      modelTopology: topology,
      weightsManifest: [{paths: [weightsName], weights: entries}],
      userDefinedMetadata: {type: LAYERS_TYPE, graph, parameters: parameters.map(([name]) => name)},
    },
    weights: joined(parameters.map(([name]) => weights.get(name)?.data as Float32Array)),
    hasOwnLayers: topology.config.layers.some(({class_name}) => OWN_CLASSES.has(class_name)),
  };
}

function joined(arrays: readonly Float32Array[]): Uint8Array {
  const bytes = new Uint8Array(arrays.reduce((sum, {byteLength}) => sum + byteLength, 0));
  let end = 0;
  for (const {buffer, byteOffset, byteLength} of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), end);
    end += byteLength;
  }
  return bytes;
}
