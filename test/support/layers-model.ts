import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import * as core from '@tensorflow/tfjs-core';
import * as tfLayers from '@tensorflow/tfjs-layers';
import {LAYERS_SCRIPT} from '../../stages/lib/models/layers-script.ts';
import type {LayersModel} from '../../stages/lib/models/to-layers.ts';
import type {NamedArray} from '../../stages/lib/tensors/named-array.ts';
import {temporaryFolder} from './stage-harness.ts';

/**
 * Runs a model file with TensorFlow.js's own reader of the layers format, and the script of own layers as users load it.
 * The backend must be set.
 */
export async function runLayersModel(
  {modelTopology, weightsManifest, format}: LayersModel,
  weights: Uint8Array,
  inputs: readonly NamedArray[],
): Promise<readonly NamedArray[]> {
  await registerOwnLayers();
  const model = await tfLayers.loadLayersModel(
    core.io.fromMemory({
      modelTopology,
      format,
      weightSpecs: weightsManifest.flatMap((group) => [...group.weights]) as core.io.WeightsManifestEntry[],
      weightData: weights.slice().buffer,
    }),
  );
  const tensors = inputs.map(({data, shape}) => core.tensor(data, [...shape], 'float32'));
  const outputs = [model.predict(tensors.length === 1 ? (tensors[0] as core.Tensor) : tensors)].flat();
  return Promise.all(outputs.map(async (tensor) => ({shape: tensor.shape, data: await tensor.data<'float32'>()})));
}

async function registerOwnLayers(): Promise<void> {
  const path = join(temporaryFolder(), 'layers.mjs');
  writeFileSync(path, LAYERS_SCRIPT);
  const script = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as {registerLayers(tf: object): void};
  script.registerLayers({...core, layers: tfLayers.layers});
}
