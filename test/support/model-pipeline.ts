import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import logMel from '../../stages/log-mel.ts';
import pcaFit from '../../stages/pca-fit.ts';
import pcaQuantize from '../../stages/pca-quantize.ts';
import resampleTrim from '../../stages/resample-trim.ts';
import segments from '../../stages/segments.ts';
import vggishWeights from '../../stages/vggish-weights.ts';
import vggish from '../../stages/vggish.ts';
import {encodeWav} from '../../stages/lib/audio/wav-write.ts';
import {readPieceRows} from '../../stages/lib/experiment/piece-rows.ts';
import type {PieceRule} from '../../stages/lib/experiment/pieces.ts';
import {encodeNpy, readFloat32, readNpy} from '../../stages/lib/formats/npy.ts';
import {geometricMean} from '../../stages/lib/learning/geometric-mean.ts';
import {dequantize} from '../../stages/lib/learning/quantize.ts';
import {attentionGraph} from '../../stages/lib/models/attention.ts';
import type {SeriesConfig} from '../../stages/lib/models/blocks.ts';
import type {ModelGraph} from '../../stages/lib/models/graph.ts';
import {writeModel} from '../../stages/lib/models/model-file.ts';
import {createPredictor} from '../../stages/lib/models/predictor.ts';
import {parameterShapes, sizeOf} from '../../stages/lib/models/shapes.ts';
import {createRng, type Rng} from '../../stages/lib/rng.ts';
import {loadEngine} from '../../stages/lib/tensors/engine.ts';
import type {Weights} from '../../stages/lib/tensors/named-array.ts';
import {runStage, temporaryFolder, testEngine} from './stage-harness.ts';

/** Recordings of different rates, channels and lengths, and what a pipeline's stages made of them. */
export interface ModelPipeline {
  readonly classes: readonly string[];
  /** Sound files by name. */
  readonly clips: Readonly<Record<string, Uint8Array>>;
  /** Weights of a narrow VGGish, and the PCA that was fitted on what it makes of the clips. */
  readonly extractor: string;
  readonly pca: string;
  /** A model with random weights on pieces of three vectors of `components` values. */
  readonly model: string;
  /** The scores of all clips, by the stages one after the other, as train writes them. */
  readonly index: {readonly content: string};
  readonly predictions: {readonly content: Uint8Array};
  readonly scores: Readonly<Record<string, Float32Array>>;
}

export const components = 6;
export const pieceLength = 3;
const classes = ['cow', 'dog', 'owl'];

export interface ModelPipelineOptions {
  /** False: the model takes the embeddings as they are. */
  readonly quantised?: boolean;
  /** Pieces of three vectors unless given. */
  readonly pieces?: PieceRule;
  /** Multi-level attention unless given. */
  readonly makeGraph?: (config: SeriesConfig) => ModelGraph;
}

const plainPieces: PieceRule = {length: pieceLength, long: 'split', short: 'repeat'};

export async function runModelPipeline({
  quantised = true,
  pieces = plainPieces,
  makeGraph = (config) =>
    attentionGraph({...config, levels: [1, 2], finalDense: true, attentionNorm: 'class-softmax+time-sum'}),
}: ModelPipelineOptions = {}): Promise<ModelPipeline> {
  const rng = createRng(11);
  const clips = makeClips(rng);
  const {outputs: made} = await runStage(vggishWeights, {params: {width: 0.04}, seed: 3});
  const embeddings: Record<string, Uint8Array> = {};
  for (const [name, content] of Object.entries(clips)) {
    const {outputs: heard} = await runStage(resampleTrim, {inputs: {clip: {content}}});
    const {outputs: seen} = await runStage(logMel, {inputs: {waveform: heard.waveform}});
    const {outputs: felt} = await runStage(vggish, {inputs: {patches: seen.patches, weights: made.weights}});
    embeddings[name.replace('.wav', '.npy')] = readFileSync(felt.embeddings);
  }
  const folds = {content: foldsTable(Object.keys(clips))};
  const {outputs: fitted} = await runStage(pcaFit, {
    params: {fold: 0, components},
    inputs: {embeddings: {files: embeddings}, folds},
  });
  const features = quantised ? await quantiseAll(embeddings, fitted.pca) : embeddings;
  const {outputs: cut} = await runStage(segments, {
    params: pieces,
    inputs: {features: {files: features}, folds},
  });
  const graph = makeGraph({
    features: (quantised ? components : 128) * (pieces.scales?.length ?? 1),
    classes: classes.length,
    units: 8,
    dropout: 0.4,
    headBatchNorm: false,
    momentum: 0.9,
    labels: 'single',
  });
  const weights = randomWeights(graph, rng);
  const model = join(temporaryFolder(), 'model.safetensors');
  writeModel(model, {graph, weights, classes, about: {levels: 'h1+h2', fold: '0'}});
  const scores = await scoreClips(graph, weights, cut);
  const keys = Object.keys(scores);
  const all = Float32Array.from(keys.flatMap((key) => [...(scores[key] ?? [])]));
  return {
    classes,
    clips,
    extractor: made.weights,
    pca: fitted.pca,
    model,
    index: {content: JSON.stringify({type: 'predictions/1', classes, predictions: {clips: keys}})},
    predictions: {content: encodeNpy({shape: [keys.length, classes.length], data: all})},
    scores,
  };
}

/** Chirps under noise: below a second, of one piece, and of several with a rest. */
function makeClips(rng: Rng): Record<string, Uint8Array> {
  const formats = [
    {name: 'short.wav', seconds: 0.4, sampleRate: 8000, channels: 1},
    {name: 'middle.wav', seconds: 2.2, sampleRate: 22_050, channels: 2},
    {name: 'long.wav', seconds: 7.7, sampleRate: 16_000, channels: 1},
  ];
  return Object.fromEntries(
    formats.map(({name, seconds, sampleRate, channels}, i) => {
      const length = Math.round(seconds * sampleRate);
      const sound = Array.from({length: channels}, () =>
        Float64Array.from({length}, (_, n) => {
          const t = n / sampleRate;
          return 0.4 * Math.sin(2 * Math.PI * (300 * (i + 1) + 150 * t) * t) + 0.05 * rng.normal();
        }),
      );
      return [name, encodeWav({sampleRate, channels: sound}, 'pcm16')];
    }),
  );
}

function foldsTable(names: readonly string[]): string {
  const rows = names.map((name, i) => {
    const c = i % classes.length;
    return `${name.replace('.wav', '')},${classes[c]},${c},1,train,${1 + i},,`;
  });
  return `key,label,class,verified,split,fold,group,parent\n${rows.sort().join('\n')}\n`;
}

async function quantiseAll(
  embeddings: Readonly<Record<string, Uint8Array>>,
  pca: string,
): Promise<Record<string, Uint8Array>> {
  const quantised: Record<string, Uint8Array> = {};
  for (const [name, content] of Object.entries(embeddings)) {
    const inputs = {embeddings: {content}, pca};
    const {outputs} = await runStage(pcaQuantize, {params: {components}, inputs});
    quantised[name] = readFileSync(outputs.quantized);
  }
  return quantised;
}

/** As stage train scores clips: each piece on its own, then the geometric mean. */
async function scoreClips(
  graph: ModelGraph,
  weights: Weights,
  cut: {readonly features: string; readonly rows: string},
): Promise<Readonly<Record<string, Float32Array>>> {
  const {shape, data} = readNpy(cut.features);
  const values = data instanceof Uint8Array ? dequantize(data, 'unit') : readFloat32(cut.features).data;
  const predictor = createPredictor(await loadEngine({engine: testEngine(), threads: 1}), graph, weights);
  const {probabilities} = await predictor.run({features: {shape, data: values}});
  predictor.dispose();
  const pieces = new Map<string, Float32Array[]>();
  for (const [i, {key}] of readPieceRows(cut.rows).entries()) {
    const row = probabilities?.data.slice(i * classes.length, (i + 1) * classes.length) ?? new Float32Array();
    pieces.set(key, [...(pieces.get(key) ?? []), row]);
  }
  return Object.fromEntries([...pieces].map(([key, rows]) => [key, geometricMean(rows, classes.length)]));
}

/** Large enough that clips get scores of their own. */
export function randomWeights(graph: ModelGraph, rng: Rng): Weights {
  return new Map(
    [...parameterShapes(graph)].map(([name, shape]) => {
      const start = /\/(gamma|variance)$/.test(name) ? 1 : 0;
      const scale = name.endsWith('/weights') ? 1 : 0.1;
      const data = Float32Array.from({length: sizeOf(shape)}, () => start + scale * (2 * rng.uniform() - 1));
      return [name, {shape, data}];
    }),
  );
}
