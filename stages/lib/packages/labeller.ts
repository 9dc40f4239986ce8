import {setImmediate} from 'node:timers/promises';
import {StageError} from 'mixdown/stage';
import {geometricMean} from '../learning/geometric-mean.ts';
import {readPca, type Pca} from '../learning/pca.ts';
import {readLayersFile} from '../models/layers-file.ts';
import {openModel, type ComputePlace} from '../onnx/open-model.ts';
import type {NamedArray} from '../tensors/named-array.ts';
import {checkedFiles} from './checksums.ts';
import {PACKAGE_FILES, type PackageDescription} from './description.ts';
import {checkFit, outputWidth} from './fit.ts';
import {hearRecording, makePieces, type HearOptions} from './front-end.ts';
import type {Network} from './package-writer.ts';
import {readDescription, type PackagePlace} from './read-description.ts';

/** What a package says about a recording. */
export interface Labelled {
  /** Probabilities in the order of the classes, of sum 1. */
  readonly scores: Float32Array;
  /** Of the recording. */
  readonly seconds: number;
  /** Examples whose scores were averaged. */
  readonly pieces: number;
  readonly isSilent: boolean;
}

/** A package, loaded. */
export interface Labeller {
  readonly description: PackageDescription;
  /** Throws BadClip when the recording is at fault, StageError when this machine lacks what the recording needs. */
  label(recording: string, options: HearOptions): Promise<Labelled>;
  dispose(): Promise<void>;
}

/** Loads a package. Throws StageError when it is none, is damaged, or when the engine cannot be had. */
export async function openPackage(files: PackagePlace, place: ComputePlace): Promise<Labeller> {
  const description = readDescription(files);
  const {frontEnd, classes} = description;
  const fileOf = checkedFiles(files);
  const pca =
    frontEnd.pca === undefined ? undefined : readPca(fileOf(PACKAGE_FILES.pca), `${PACKAGE_FILES.pca} of the model`);
  checkPca(frontEnd, pca);
  const networks = {
    extractor: frontEnd.extractor && readNetwork(fileOf, PACKAGE_FILES.extractor),
    model: readNetwork(fileOf, PACKAGE_FILES.model),
  };
  checkFit(networks.model.graph, frontEnd, networks.extractor);
  const width = outputWidth(networks.model.graph);
  if (width !== classes.length) throw new StageError(`the model gives ${width} scores for ${classes.length} classes`);
  const extractor = networks.extractor && (await openNetwork(networks.extractor, place));
  const model = await openNetwork(networks.model, place);

  return {
    description,
    async label(recording, options) {
      const {patches, seconds, isSilent} = await hearRecording(recording, frontEnd, options);
      const {patchFrames, bands} = frontEnd.logMel;
      const heard: NamedArray = {shape: [patches.patches, patchFrames, bands], data: patches.data};
      const examples =
        extractor === undefined
          ? heard
          : piecesOf(await runInBatches(extractor, heard, PATCHES_AT_ONCE, options.signal), frontEnd, pca);
      const batch = extractor === undefined ? PATCHES_AT_ONCE : PIECES_AT_ONCE;
      const {shape, data} = await runInBatches(model, examples, batch, options.signal);
      if (!data.every(Number.isFinite)) throw new StageError('the model gave a score that is not a finite number');
      const rows = Array.from({length: shape[0] ?? 0}, (_, i) =>
        data.subarray(i * classes.length, (i + 1) * classes.length),
      );
      return {scores: geometricMean(rows, classes.length), seconds, pieces: rows.length, isSilent};
    },
    async dispose() {
      await extractor?.dispose();
      await model.dispose();
    },
  };
}

/** As stage vggish computes by default. */
const PATCHES_AT_ONCE = 32;
const PIECES_AT_ONCE = 500;

function checkPca({pca: wanted, extractor}: PackageDescription['frontEnd'], pca: Pca | undefined): void {
  if (wanted === undefined || pca === undefined) return;
  if (pca.size !== extractor?.width || wanted.components > pca.size) {
    throw new StageError(
      `${PACKAGE_FILES.pca} is for vectors of ${pca.size} values; ${extractor?.width} are made and ${wanted.components} kept`,
    );
  }
}

function piecesOf(vectors: NamedArray, {segments, pca}: PackageDescription['frontEnd'], parameters?: Pca): NamedArray {
  if (segments === undefined) throw new StageError('the model does not say how vectors are cut to pieces');
  return makePieces(vectors.data, vectors.shape[1] ?? 0, {segments, ...(pca && {pca})}, parameters);
}

function readNetwork(
  fileOf: (path: string) => string,
  {json, weights}: {readonly json: string; readonly weights: string},
): Network {
  return readLayersFile(fileOf(json), fileOf(weights), json);
}

/** A network of one input and one output, ready to compute. */
interface OpenNetwork {
  run(examples: NamedArray): Promise<NamedArray>;
  dispose(): Promise<void>;
}

async function openNetwork({graph, weights}: Network, place: ComputePlace): Promise<OpenNetwork> {
  const [input = ''] = graph.inputs.map(({name}) => name);
  const [output = ''] = graph.outputs;
  const model = await openModel(graph, weights, place);
  return {
    run: async (examples) => (await model.run({[input]: examples}))[output] as NamedArray,
    dispose: () => model.release(),
  };
}

/** The network's output for all rows. */
async function runInBatches(
  network: OpenNetwork,
  {shape, data}: NamedArray,
  batch: number,
  signal: AbortSignal | undefined,
): Promise<NamedArray> {
  const [count = 0, ...example] = shape;
  const size = data.length / count;
  const outputs: NamedArray[] = [];
  for (let start = 0; start < count; start += batch) {
    await setImmediate();
    signal?.throwIfAborted();
    const end = Math.min(start + batch, count);
    outputs.push(await network.run({shape: [end - start, ...example], data: data.subarray(start * size, end * size)}));
  }
  const [first] = outputs;
  if (first === undefined) throw new RangeError('a recording has at least one example');
  const width = first.data.length / (first.shape[0] ?? 1);
  const all = new Float32Array(count * width);
  for (const [i, output] of outputs.entries()) all.set(output.data, i * batch * width);
  return {shape: [count, width], data: all};
}
