import {copyFileSync, mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {ModelGraph} from '../models/graph.ts';
import {LAYERS_SCRIPT} from '../models/layers-script.ts';
import {toLayers} from '../models/to-layers.ts';
import {toOnnx} from '../onnx/from-graph.ts';
import type {Weights} from '../tensors/named-array.ts';
import {writeChecksums} from './checksums.ts';
import {PACKAGE_FILES, type PackageDescription} from './description.ts';

/** A network with its parameters. */
export interface Network {
  readonly graph: ModelGraph;
  readonly weights: Weights;
}

export interface PackageContent {
  readonly model: Network;
  readonly extractor: Network | undefined;
  /** File with the parameters of the PCA. */
  readonly pca: string | undefined;
  readonly description: PackageDescription;
}

/** Writes a package into an empty folder. Equal content gives equal bytes. Throws StageError when the weights do not fit. */
export function writePackage(folder: string, {model, extractor, pca, description}: PackageContent): void {
  const metadata = {
    mixdown: JSON.stringify(description),
    classes: JSON.stringify(description.classes),
  };
  const hasOwnLayers = writeNetwork(folder, model, PACKAGE_FILES.model, metadata);
  if (extractor !== undefined) writeNetwork(folder, extractor, PACKAGE_FILES.extractor, {});
  if (pca !== undefined) copyFileSync(pca, join(folder, PACKAGE_FILES.pca));
  if (hasOwnLayers) writeFileSync(join(folder, PACKAGE_FILES.layers), LAYERS_SCRIPT);
  writeFileSync(join(folder, PACKAGE_FILES.description), `${JSON.stringify(description, null, 2)}\n`);
  writeChecksums(folder);
}

/** @returns whether the model has layers of the script */
function writeNetwork(
  folder: string,
  {graph, weights}: Network,
  files: {readonly json: string; readonly weights: string; readonly onnx: string},
  metadata: Readonly<Record<string, string>>,
): boolean {
  const file = toLayers(graph, weights, 'weights.bin');
  mkdirSync(dirname(join(folder, files.json)), {recursive: true});
  writeFileSync(join(folder, files.json), JSON.stringify(file.model));
  writeFileSync(join(folder, files.weights), file.weights);
  writeFileSync(join(folder, files.onnx), toOnnx(graph, weights, metadata));
  return file.hasOwnLayers;
}
