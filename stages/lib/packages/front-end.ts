import {StageError} from 'mixdown/stage';
import {makePatches} from '../audio/make-patches.ts';
import type {Patches} from '../audio/mel.ts';
import {readClip} from '../audio/read-clip.ts';
import {isSilent, makeWaveform} from '../audio/waveform.ts';
import {clipPieces} from '../experiment/pieces.ts';
import type {Vectors} from '../experiment/vectors.ts';
import {projectPca, type Pca} from '../learning/pca.ts';
import {dequantize, quantize} from '../learning/quantize.ts';
import type {NamedArray} from '../tensors/named-array.ts';
import type {FrontEnd} from './description.ts';

/** A recording as log-mel patches. */
export interface Heard {
  readonly patches: Patches;
  /** Of the whole recording. */
  readonly seconds: number;
  readonly isSilent: boolean;
}

export interface HearOptions {
  readonly signal?: AbortSignal;
  log?(this: void, text: string): void;
}

/** What stages resample-trim and log-mel make of a sound file, to the bit. Throws as readClip and makePatches do. */
export async function hearRecording(
  path: string,
  {waveform, logMel}: Pick<FrontEnd, 'waveform' | 'logMel'>,
  options: HearOptions,
): Promise<Heard> {
  const made = makeWaveform(await readClip(path, options), waveform);
  // Between the two stages lies a file of float32 samples.
  const samples = made.samples.map(Math.fround);
  const patches = makePatches(samples, {...logMel, sampleRate: waveform.sampleRate});
  return {patches, seconds: made.seconds, isSilent: isSilent(made)};
}

/**
 * What stages pca-quantize and segments make of the vectors (n, width) of one clip, as the values (pieces, length, width)
 * that a training takes them for. Throws StageError when a vector is not finite.
 */
export function makePieces(
  vectors: Float32Array,
  width: number,
  {pca, segments}: Required<Pick<FrontEnd, 'segments'>> & Pick<FrontEnd, 'pca'>,
  parameters: Pca | undefined,
): NamedArray {
  if (!vectors.every(Number.isFinite)) throw new StageError('the extractor gave a value that is not a finite number');
  let values: Vectors = vectors;
  if (pca !== undefined && parameters !== undefined) {
    const bytes = quantize(projectPca(parameters, vectors, pca.components));
    values = pca.bytesAs === 'unit' ? bytes : dequantize(bytes, pca.bytesAs);
  }
  const {pieces, width: size} = clipPieces(values, pca?.components ?? width, segments);
  const data = new Float32Array(pieces.length * segments.length * size);
  for (const [i, piece] of pieces.entries()) {
    data.set(piece instanceof Uint8Array ? dequantize(piece, 'unit') : piece, i * piece.length);
  }
  return {shape: [pieces.length, segments.length, size], data};
}
