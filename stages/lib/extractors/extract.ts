import {setImmediate} from 'node:timers/promises';
import {StageError} from 'mixdown/stage';
import {closeAll} from '../formats/append-file.ts';
import {openFloat32Rows, type NpyRows} from '../formats/npy-rows.ts';
import {npyWriter} from '../formats/npy-writer.ts';
import {PATCH_BANDS, PATCH_FRAMES} from '../models/vggish.ts';
import type {Extractor} from './extractor.ts';

export interface ExtractionOptions {
  /** Patches computed at a time: what bounds the memory. */
  readonly batch: number;
  readonly signal: AbortSignal;
  progress(this: void, fraction: number): void;
}

/** Where an output of the network goes. */
export interface ExtractedOutput {
  readonly name: string;
  /** A .npy file, float32, shape (patches, width). */
  readonly path: string;
  /** One value of it, in messages. */
  readonly value: string;
  /** Sees the rows of each batch as they are written. */
  look?(rows: Float32Array, width: number): void;
}

/** Patches (n, 96, 64) of a file, read a batch at a time. */
export type PatchFile = NpyRows<Float32Array>;

/** Opens a file of patches; it must be closed. Throws StageError when they have another shape. */
export function openPatches(path: string): PatchFile {
  const patches = openFloat32Rows(path, 'the patches');
  const {shape} = patches;
  const [, frames, bands] = shape;
  if (shape.length === 3 && frames === PATCH_FRAMES && bands === PATCH_BANDS) return patches;
  patches.close();
  throw new StageError(
    `the patches have shape [${shape.join(', ')}]; [n, ${PATCH_FRAMES}, ${PATCH_BANDS}] is expected`,
    'let stage log-mel make them, with 64 bands and patches of 96 frames',
  );
}

/**
 * Computes outputs of the extractor for all patches. Throws StageError when a patch or a result holds what is not a finite
 * number.
 */
export async function extract(
  extractor: Extractor,
  patches: PatchFile,
  outputs: readonly ExtractedOutput[],
  {batch, signal, progress}: ExtractionOptions,
): Promise<void> {
  const writers = outputs.map((output) => {
    const row = new Float32Array(extractor.widthOf(output.name));
    return {output, row, file: npyWriter(output.path, [row.length], row)};
  });
  try {
    const [count = 0] = patches.shape;
    for (let start = 0; start < count; start += batch) {
      await setImmediate();
      signal.throwIfAborted();
      const taken = Math.min(batch, count - start);
      const input = new Float32Array(taken * patches.width);
      patches.read(start, input);
      // The network would hide it: a ReLU turns NaN into 0.
      if (!input.every(Number.isFinite)) throw new StageError('the patches hold a value that is not a finite number');
      const results = await extractor.run(input, taken);
      for (const {output, row, file} of writers) {
        const rows = results[output.name] as Float32Array;
        if (!rows.every(Number.isFinite)) {
          throw new StageError(`${output.value} is not a finite number`, 'the weights may be too large');
        }
        for (let i = 0; i < rows.length; i += row.length) {
          row.set(rows.subarray(i, i + row.length));
          file.write(row);
        }
        output.look?.(rows, row.length);
      }
      progress((start + taken) / count);
    }
  } finally {
    closeAll(...writers.map(({file}) => file));
  }
}
