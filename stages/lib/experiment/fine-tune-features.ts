import {setImmediate} from 'node:timers/promises';
import {StageError} from 'mixdown/stage';
import type {ModelGraph} from '../models/graph.ts';
import {layerShapes} from '../models/shapes.ts';
import {openModel, type ComputePlace} from '../onnx/open-model.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import {eachBatch, type ClipPieces} from './fine-tune-data.ts';

export interface FeatureOptions {
  /** Pieces computed at a time. */
  readonly rows: number;
  readonly place: ComputePlace;
  readonly signal: AbortSignal;
  /** `done` pieces of all so far. */
  onBatch(this: void, done: number): void;
}

/** Bytes that the features of pieces take. */
export function featureBytes(front: ModelGraph, pieces: readonly ClipPieces[]): number {
  const count = pieces.flatMap(({counts}) => counts).reduce((sum, own) => sum + own, 0);
  return count * widthOf(front) * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * What the frozen part of a network gives for each piece, computed once and kept in memory, in place of the pieces. Throws
 * StageError when the weights make it something else than finite numbers.
 */
export async function frozenFeatures<const S extends readonly ClipPieces[]>(
  front: ModelGraph,
  weights: Weights,
  pieces: S,
  {rows, place, signal, onBatch}: FeatureOptions,
): Promise<{readonly [I in keyof S]: ClipPieces}> {
  const [name = ''] = front.outputs;
  const model = await openModel(front, weights, place);
  try {
    const result: ClipPieces[] = [];
    let done = 0;
    for (const set of pieces) {
      const data = new Float32Array(featureBytes(front, [set]) / Float32Array.BYTES_PER_ELEMENT);
      let at = 0;
      for (const {inputs, clipOf} of eachBatch(set, [...set.counts.keys()], rows)) {
        await setImmediate();
        signal.throwIfAborted();
        const values = (await model.run(inputs))[name] as NamedArray;
        if (!values.data.every(Number.isFinite)) {
          throw new StageError('the frozen layers give a value that is not a finite number', 'check the weights');
        }
        data.set(values.data, at);
        at += values.data.length;
        done += clipOf.length;
        onBatch(done);
      }
      result.push(inMemory(set, name, front, data));
    }
    return result as {readonly [I in keyof S]: ClipPieces};
  } finally {
    await model.release();
  }
}

function inMemory(set: ClipPieces, name: string, front: ModelGraph, data: Float32Array): ClipPieces {
  const shape = (layerShapes(front).get(name) ?? []).map((size) => size as number);
  const width = widthOf(front);
  let end = 0;
  const ends = set.counts.map((count) => (end += count * width));
  return {
    ...set,
    input: {name, shape},
    read: (clip) => data.subarray(ends[clip - 1] ?? 0, ends[clip]),
  };
}

function widthOf(front: ModelGraph): number {
  const [name = ''] = front.outputs;
  return (layerShapes(front).get(name) ?? []).reduce<number>((size, axis) => size * (axis ?? 1), 1);
}
