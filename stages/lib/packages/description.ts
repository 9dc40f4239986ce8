import type {WaveformOptions} from '../audio/waveform.ts';
import type {PatchOptions} from '../audio/make-patches.ts';
import type {PieceRule} from '../experiment/pieces.ts';
import type {DequantizationRule} from '../learning/quantize.ts';

/** What a model package is: the content of its `mixdown.json`. */
export interface PackageDescription {
  readonly type: typeof PACKAGE_TYPE;
  /** Names of the scores, in their order. */
  readonly classes: readonly string[];
  readonly frontEnd: FrontEnd;
  readonly provenance: Provenance;
}

export const PACKAGE_TYPE = 'model/1';

/**
 * From a sound file to the values that the model takes, in this order. What is absent is not done. A recording's scores are
 * the geometric mean over its pieces, or its patches where it has no pieces, divided by their sum.
 */
export interface FrontEnd {
  /** Mono, trimmed, resampled, scaled, repeated when short; then rounded to float32. */
  readonly waveform: WaveformOptions;
  readonly logMel: Omit<PatchOptions, 'sampleRate'>;
  /** One vector a patch, by the model in the folder `extractor`. Absent: the model takes the patches themselves. */
  readonly extractor?: {
    /** For people. */
    readonly name: string;
    /** Values of a vector. */
    readonly width: number;
  };
  /** Projection by `pca.npz`, the first components kept; then 8 bits each, and what the model takes a byte for. */
  readonly pca?: {readonly components: number; readonly bytesAs: DequantizationRule};
  /** Pieces of vectors. With an extractor only. */
  readonly segments?: PieceRule;
}

export interface Provenance {
  /** The files that the package was made from: model, extractor, pca. */
  readonly files: Readonly<Record<string, {readonly sha256: string; readonly bytes: number}>>;
  /** What the training said about the model: fold, levels, units ... */
  readonly training: Readonly<Record<string, string>>;
  /** Recordings on which the package gave the scores of the pipeline when it was made. */
  readonly checked: number;
}

/** Files of a package, by their paths in it. */
export const PACKAGE_FILES = {
  description: 'mixdown.json',
  model: {json: 'model.json', weights: 'weights.bin', onnx: 'model.onnx'},
  extractor: {json: 'extractor/model.json', weights: 'extractor/weights.bin', onnx: 'extractor.onnx'},
  pca: 'pca.npz',
  layers: 'layers.mjs',
  checksums: 'SHA256SUMS',
} as const;
