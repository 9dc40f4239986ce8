import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {defineStage, StageError} from 'mixdown/stage';
import {patchParams, waveformParams} from './lib/audio/front-end-params.ts';
import type {WaveformOptions} from './lib/audio/waveform.ts';
import {checkPatchOptions, type PatchOptions} from './lib/audio/make-patches.ts';
import {pieceParams} from './lib/experiment/piece-params.ts';
import type {PieceRule} from './lib/experiment/pieces.ts';
import {readPca} from './lib/learning/pca.ts';
import type {DequantizationRule} from './lib/learning/quantize.ts';
import type {ModelGraph} from './lib/models/graph.ts';
import {readModel} from './lib/models/model-file.ts';
import {PACKAGE_TYPE, type FrontEnd, type PackageDescription} from './lib/packages/description.ts';
import {EXTRACTOR_NAMES, extractorNetwork, type ExtractorName} from './lib/packages/extractor-network.ts';
import {checkFit, outputWidth} from './lib/packages/fit.ts';
import {openPackage} from './lib/packages/labeller.ts';
import {writePackage} from './lib/packages/package-writer.ts';
import {checkFold, digestsOf} from './lib/packages/provenance.ts';
import {compareScores, readReferences} from './lib/packages/references.ts';

export default defineStage({
  name: 'export-model',
  summary: 'A trained model as a package that labels recordings: TensorFlow.js layers, ONNX, classes and front end.',
  params: {
    ...waveformParams,
    ...patchParams,
    extractor: {type: 'string', enum: EXTRACTOR_NAMES, default: 'vggish', about: 'network of the input `extractor`'},
    embeddingActivation: {
      type: 'string',
      enum: ['none', 'relu'],
      default: 'none',
      about: 'as stage vggish had it when it made the embeddings',
    },
    components: {type: 'integer', minimum: 0, default: 0, about: 'as pca-quantize had it; 0: all'},
    bytesAs: {
      type: 'string',
      enum: ['unit', 'whitened'],
      default: 'unit',
      about: 'what the model was trained to take a byte for: unit, (q - 128) / 128, or as stage dequantize made of it',
    },
    ...pieceParams,
    checks: {
      type: 'integer',
      minimum: 0,
      default: 5,
      about: 'recordings that the package labels for a comparison with `predictions`, where these are given',
    },
    tolerance: {
      type: 'number',
      minimum: 0,
      default: 0.0005,
      about: 'scores that are further than this from the predictions are those of another front end',
    },
  },
  inputs: {
    model: {kind: 'file', about: 'from train or fine-tune'},
    extractor: {
      kind: 'file',
      optional: true,
      about: 'the weights that made the embeddings; none for a model that takes patches, as fine-tune makes it',
    },
    pca: {kind: 'file', optional: true, about: '.npz that projected the embeddings; none if they were not quantised'},
    clips: {kind: 'tree', optional: true, about: 'the recordings, to compare with predictions'},
    index: {kind: 'file', optional: true, about: 'index.json of train: which clips the predictions are of'},
    predictions: {
      kind: 'file',
      optional: true,
      about: 'scores of the test clips, from train: the package must give the same, or the stage fails',
    },
  },
  outputs: {
    model: {
      kind: 'tree',
      name: 'model',
      // The weights of a model that is compared where it is trained, in forms whose numbers are not read.
      compare: 'none',
      about: 'the package: mixdown.json, model.json with weights.bin, model.onnx; extractor/, extractor.onnx, pca.npz',
    },
  },
  // Of the scores that the package gives, from those that it was trained to give.
  compareMetrics: {absolute: 0.001},
  numericBackend: true,
  async run({params, inputs, outputs, engine, threads, signal, log, metric}) {
    const {about, classes, ...model} = readModel(inputs.model);
    const extractor =
      inputs.extractor === undefined
        ? undefined
        : extractorNetwork(params.extractor, inputs.extractor, params.embeddingActivation);
    const pca = inputs.pca === undefined ? undefined : readPca(inputs.pca);
    if (pca !== undefined && extractor === undefined) {
      throw new StageError(
        'PCA parameters are given, but no extractor',
        'give the weights that made the embeddings too',
      );
    }
    checkFold(about, pca?.origin);
    const frontEnd = frontEndOf(params, extractor?.graph, pca?.size);
    checkFit(model.graph, frontEnd, extractor);
    const references = readReferences(inputs, classes, params.checks);
    const files = digestsOf({model: inputs.model, extractor: inputs.extractor, pca: inputs.pca});
    const provenance = {files, training: about, checked: references.length};
    const description: PackageDescription = {type: PACKAGE_TYPE, classes, frontEnd, provenance};
    writePackage(outputs.model, {model, extractor, pca: inputs.pca, description});
    metric('classes', classes.length);
    if (references.length === 0) return;

    const labeller = await openPackage((path) => [join(outputs.model, path)].find((file) => existsSync(file)), {
      engine,
      threads,
    });
    try {
      let largest = 0;
      for (const reference of references) {
        signal.throwIfAborted();
        const labelled = await labeller.label(reference.file, {signal, log});
        largest = Math.max(largest, compareScores(reference, labelled, params.tolerance));
      }
      metric('largestDifference', largest);
    } finally {
      await labeller.dispose();
    }
  },
});

interface FrontEndParams extends WaveformOptions, PatchOptions, Required<PieceRule> {
  readonly extractor: ExtractorName;
  readonly components: number;
  readonly bytesAs: DequantizationRule;
}

function frontEndOf(params: FrontEndParams, extractor: ModelGraph | undefined, pcaSize: number | undefined): FrontEnd {
  checkPatchOptions(params);
  const {sampleRate, trimDb, trimPad, normalize, minSeconds, resampler} = params;
  const {windowSeconds, hopSeconds, bands, lowHz, highHz, logOffset, patchFrames, patchHop} = params;
  const {components, bytesAs} = params;
  return {
    waveform: {sampleRate, trimDb, trimPad, normalize, minSeconds, resampler},
    logMel: {windowSeconds, hopSeconds, bands, lowHz, highHz, logOffset, patchFrames, patchHop},
    ...(extractor && {extractor: {name: params.extractor, width: outputWidth(extractor)}}),
    ...(pcaSize === undefined ? {} : {pca: {components: components || pcaSize, bytesAs}}),
    ...(extractor && {segments: pieceRuleOf(params)}),
  };
}

/** Without what is as it always was: older versions read such packages too. */
function pieceRuleOf({length, long, short, pieces, scales}: Required<PieceRule>): PieceRule {
  const isPlain = scales.length === 1 && scales[0] === 1;
  return {length, long, short, ...(pieces === 'cut' ? {} : {pieces}), ...(isPlain ? {} : {scales})};
}
