import {setImmediate} from 'node:timers/promises';
import {geometricMean} from './geometric-mean.ts';
import type {Example} from '../experiment/mixed-table.ts';
import type {PieceRow} from '../experiment/piece-rows.ts';
import {SERIES_INPUT} from '../models/blocks.ts';
import type {Batch, Trainer} from '../models/trainer.ts';
import {dequantizationTable} from './quantize.ts';

/** Pieces, features (N, pieces, width), one class a row. */
export interface PieceData {
  /** Bytes of the quantisation, or values to be used as they are. */
  readonly features: Uint8Array | Float32Array;
  /** Vectors per row, T. */
  readonly pieces: number;
  readonly width: number;
  /** Class of each row. */
  readonly labels: readonly number[];
  readonly classes: number;
  /** What each row's loss is multiplied by in training, from 0; 1 unless given. */
  readonly weights?: readonly number[];
}

/** A clip with the rows of its pieces. */
export interface ClipRows {
  readonly key: string;
  readonly classIndex: number;
  readonly rows: readonly number[];
}

export function plainExamples(rows: readonly number[]): readonly Example[] {
  return rows.map((row) => ({first: row, second: row, share: 1}));
}

/** Cuts the examples into batches of at most `size`, of equal length within one, so that none is tiny. */
export function cutBatches<T>(examples: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(examples.length / size);
  return Array.from({length: count}, (_, i) =>
    examples.slice(Math.round((i * examples.length) / count), Math.round(((i + 1) * examples.length) / count)),
  );
}

/**
 * Values (B, T, width) and targets (B, classes), rows of sum 1. With weights, a mixed example has the loss of both labels, each
 * times its share and the weight of its row: the weight of the example is the sum of these, its targets are their parts of it.
 *
 * @param labelSmoothing - part of each target that is spread over all classes, 0 to less than 1
 */
export function makeBatch(data: PieceData, examples: readonly Example[], labelSmoothing = 0): Batch {
  const {pieces, width, classes, labels} = data;
  const size = pieces * width;
  const x = new Float32Array(examples.length * size);
  const targets = new Float32Array(examples.length * classes).fill(labelSmoothing / classes);
  const weights = new Float32Array(examples.length);
  for (const [i, example] of examples.entries()) {
    const {first, second, share} = example;
    const {weight, part} = weigh(data, example);
    weights[i] = weight;
    addRow(x, i * size, data, first, share);
    addTarget(targets, i * classes + (labels[first] as number), (1 - labelSmoothing) * part);
    if (share === 1) continue;
    addRow(x, i * size, data, second, 1 - share);
    addTarget(targets, i * classes + (labels[second] as number), (1 - labelSmoothing) * (1 - part));
  }
  return {
    inputs: {[SERIES_INPUT]: {shape: [examples.length, pieces, width], data: x}},
    targets: {shape: [examples.length, classes], data: targets},
    ...(data.weights && {weights}),
  };
}

/** What an example counts, and the first row's part of it. */
function weigh({weights}: PieceData, {first, second, share}: Example): {weight: number; part: number} {
  if (weights === undefined) return {weight: 1, part: share};
  const own = share * (weights[first] as number);
  const weight = own + (1 - share) * (weights[second] as number);
  return {weight, part: weight > 0 ? own / weight : share};
}

/** Groups rows, which lie in the order of their clips. */
export function groupClips(rows: readonly PieceRow[]): readonly ClipRows[] {
  const clips: {key: string; classIndex: number; rows: number[]}[] = [];
  for (const {key, classIndex, row} of rows) {
    const last = clips.at(-1);
    if (last?.key === key) last.rows.push(row);
    else clips.push({key, classIndex, rows: [row]});
  }
  return clips;
}

export interface PredictOptions {
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/** Class probabilities (clips, classes): the geometric mean over each clip's pieces, rows of sum 1. */
export async function predictClips(
  model: Pick<Trainer, 'predict'>,
  data: PieceData,
  clips: readonly ClipRows[],
  {batchSize, signal}: PredictOptions,
): Promise<Float32Array> {
  const {classes} = data;
  const examples = plainExamples(clips.flatMap(({rows}) => rows));
  const pieces = new Float32Array(examples.length * classes);
  let done = 0;
  for (const batch of cutBatches(examples, batchSize)) {
    await setImmediate();
    signal.throwIfAborted();
    pieces.set(await model.predict(makeBatch(data, batch).inputs), done * classes);
    done += batch.length;
  }
  const result = new Float32Array(clips.length * classes);
  let from = 0;
  for (const [i, {rows}] of clips.entries()) {
    const own = rows.map((_, k) => pieces.subarray((from + k) * classes, (from + k + 1) * classes));
    result.set(geometricMean(own, classes), i * classes);
    from += rows.length;
  }
  return result;
}

/** Bytes count as (q - 128) / 128. */
function addRow(
  x: Float32Array,
  start: number,
  {features, pieces, width}: PieceData,
  row: number,
  share: number,
): void {
  const size = pieces * width;
  const from = row * size;
  if (features instanceof Float32Array) {
    for (let i = 0; i < size; i++) x[start + i] = (x[start + i] as number) + share * (features[from + i] as number);
    return;
  }
  for (let i = 0; i < size; i++) {
    x[start + i] = (x[start + i] as number) + share * (UNIT[features[from + i] as number] as number);
  }
}

const UNIT = dequantizationTable('unit');

function addTarget(targets: Float32Array, index: number, share: number): void {
  targets[index] = (targets[index] as number) + share;
}
