import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import balance from '../../../stages/balance.ts';
import dequantize from '../../../stages/dequantize.ts';
import {readCsv} from '../../../stages/lib/formats/csv.ts';
import {encodeNpy, readFloat32} from '../../../stages/lib/formats/npy.ts';
import {readModel} from '../../../stages/lib/models/model-file.ts';
import {createPredictor} from '../../../stages/lib/models/predictor.ts';
import {readSafeTensors} from '../../../stages/lib/formats/safetensors.ts';
import {loadEngine} from '../../../stages/lib/tensors/engine.ts';
import mixup from '../../../stages/mixup.ts';
import train from '../../../stages/train.ts';
import {toyTrainingFiles} from '../../support/attention-data.ts';
import {runStage, temporaryFolder, testEngine, type HarnessResult} from '../../support/stage-harness.ts';
import {stopAfter} from '../../support/stop-after.ts';

const toy = toyTrainingFiles({classes: 4, clipsPerClass: 9, folds: 2, length: 3, pieces: 2});
const small = {units: 16, batchSize: 24, learningRate: 0.01, epochs: 12, batchNormMomentum: 0.8};

type TrainParams = NonNullable<
  NonNullable<
    Parameters<typeof runStage<(typeof train)['params'], (typeof train)['inputs'], (typeof train)['outputs']>>[1]
  >['params']
>;
type TrainResult = HarnessResult<Readonly<Record<keyof (typeof train)['outputs'], string>>>;

async function trainToy(
  params: TrainParams = {},
  seed = 1,
  rest: {readonly signal?: AbortSignal; readonly checkpoint?: string} = {},
): Promise<TrainResult> {
  const fold = params.fold ?? 1;
  const {outputs} = await runStage(balance, {params: {fold}, inputs: {rows: toy.rows}, seed: 5});
  return runStage(train, {
    params: {...small, fold, ...params},
    inputs: {...toy, order: outputs.order},
    seed,
    ...rest,
  });
}

const COLUMNS = ['iteration', 'epoch', 'trainLoss', 'validationLoss', 'validationMap3'];

function bytesOf({outputs}: TrainResult): readonly string[] {
  return Object.values(outputs).map((path) => readFileSync(path).toString('base64'));
}

function accuracyOf(path: string): number {
  const {shape, data} = readFloat32(path, 2);
  const [clips = 0, classes = 0] = shape;
  let right = 0;
  for (let clip = 0; clip < clips; clip++) {
    const row = [...data.subarray(clip * classes, (clip + 1) * classes)];
    if (row.indexOf(Math.max(...row)) === clip % classes) right++;
  }
  return right / clips;
}

describe('train', () => {
  test('learns classes that can be told apart, on clips it has not seen', async () => {
    const result = await trainToy();
    expect(accuracyOf(result.outputs.predictions)).toBeGreaterThan(0.8);
    expect(accuracyOf(result.outputs.validation)).toBeGreaterThan(0.8);
    expect(result.metrics['validationMap3']).toBeGreaterThan(0.85);
    const curve = readCsv(result.outputs.curve, COLUMNS);
    expect(Object.keys(curve[0] ?? {})).toEqual(COLUMNS);
    expect(curve.map(({epoch}) => Number(epoch))).toEqual(curve.map((_, i) => i + 1));
    expect(curve).toHaveLength(result.metrics['epochs'] ?? 0);
    expect(Number(curve.at(-1)?.['trainLoss'])).toBeLessThan(0.6 * Number(curve[0]?.['trainLoss']));
    expect(result.metrics['iterations']).toBe(Number(curve.at(-1)?.['iteration']));
    expect(result.progress.length).toBe(result.metrics['iterations']);
  });

  test('predictions are probabilities, one row a clip', async () => {
    const {outputs} = await trainToy({epochs: 1});
    const {shape, data} = readFloat32(outputs.predictions, 2);
    expect(shape).toEqual([12, 4]);
    for (let row = 0; row < 12; row++) {
      const sum = data.subarray(row * 4, row * 4 + 4).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
    expect(readFloat32(outputs.validation, 2).shape).toEqual([12, 4]);
  });

  test('the same seed gives the same bytes, another seed other weights', async () => {
    const first = bytesOf(await trainToy({epochs: 3}));
    expect(bytesOf(await trainToy({epochs: 3}))).toEqual(first);
    expect(bytesOf(await trainToy({epochs: 3}, 2))).not.toEqual(first);
  });

  test('the test clips and the validation clips do not enter the weights of a fixed number of epochs', async () => {
    const {content} = toy.features;
    const other = content.slice();
    const lines = toy.rows.content.trimEnd().split('\n').slice(1);
    const start = content.length - lines.length * 3 * 128;
    for (const [row, line] of lines.entries()) {
      if (line.includes('train,2')) continue;
      other.fill(200, start + row * 3 * 128, start + (row + 1) * 3 * 128);
    }
    const {outputs} = await runStage(balance, {params: {fold: 1}, inputs: {rows: toy.rows}});
    const run = (features: Uint8Array) =>
      runStage(train, {
        params: {...small, fold: 1, epochs: 1},
        inputs: {features: {content: features}, rows: toy.rows, order: outputs.order},
      });
    const model = async (features: Uint8Array) => readFileSync((await run(features)).outputs.model).toString('base64');
    expect(await model(other)).toBe(await model(content));
  });

  test.each([
    ['h1', ['h1']],
    ['h3+h1', ['h1', 'h2', 'h3']],
    ['h2+h3', ['h1', 'h2', 'h3']],
  ])('levels %s have the blocks on their path and heads of their own', async (levels, blocks) => {
    const {outputs} = await trainToy({levels, epochs: 1});
    const {tensors, metadata} = readSafeTensors(outputs.model);
    const names = [...tensors.keys()];
    expect(names.filter((name) => /^h\d\/weights$/.test(name)).sort()).toEqual(
      blocks.map((block) => `${block}/weights`),
    );
    const heads = levels.split('+').sort();
    expect(names.filter((name) => name.endsWith('/scores/weights')).sort()).toEqual(
      heads.map((level) => `${level}/scores/weights`),
    );
    expect(tensors.get('output/weights')?.shape).toEqual([4 * heads.length, 4]);
    expect(metadata).toMatchObject({levels: heads.join('+'), classes: '["c0","c1","c2","c3"]', units: '16'});
  });

  test('the model is whole: read back and run, it gives the predictions', async () => {
    const {outputs} = await trainToy({levels: 'h1+h2', epochs: 2});
    const {graph, weights, classes, about} = readModel(outputs.model);
    expect(classes).toEqual(['c0', 'c1', 'c2', 'c3']);
    expect(about).toMatchObject({model: 'attention', fold: '1', levels: 'h1+h2', units: '16', finalDense: 'true'});
    const engine = await loadEngine({engine: testEngine(), threads: 1});
    const predictor = createPredictor(engine, graph, weights);
    const {outputs: floats} = await runStage(dequantize, {inputs: {quantized: {content: toy.features.content}}});
    const features = readFloat32(floats.vectors);
    const {probabilities} = await predictor.run({features});
    predictor.dispose();
    const wanted = readFloat32(outputs.predictions);
    // The geometric mean over the pieces of the first test clip.
    const path = `${temporaryFolder()}/rows.csv`;
    writeFileSync(path, toy.rows.content);
    const rows = readCsv(path, ['key', 'split']);
    const test = rows.flatMap(({key = '', split}, row) => (split === 'test' ? [{key, row}] : []));
    const [first] = test;
    const own = test
      .filter(({key}) => key === first?.key)
      .map(({row}) => probabilities?.data.subarray(row * 4, row * 4 + 4));
    const products = [0, 1, 2, 3].map(
      (c) => own.reduce((product, row) => product * (row?.[c] ?? 0), 1) ** (1 / own.length),
    );
    const total = products.reduce((a, b) => a + b, 0);
    for (const [c, product] of products.entries()) expect(wanted.data[c]).toBeCloseTo(product / total, 5);
  });

  test.each([
    {model: 'dnn', levels: 'h2', priorBias: true, headBatchNorm: false, learningRate: 0.02} as const,
    {model: 'lstm'} as const,
    {headBatchNorm: false, priorBias: true},
    {finalDense: false, headBatchNorm: false, priorBias: true, learningRate: 0.02},
    {attNorm: 'time-softmax'} as const,
    {attNorm: 'sigmoid+time-sum'} as const,
    {dropout: 0, levels: 'h1'},
  ])('learns with %j', async (params) => {
    expect(accuracyOf((await trainToy({epochs: 20, ...params})).outputs.predictions)).toBeGreaterThan(0.7);
  });

  test('without the final dense layer and with one vector a piece, the scores are the sigmoid heads', async () => {
    const single = toyTrainingFiles({classes: 3, clipsPerClass: 6, folds: 2, length: 1});
    const {outputs} = await runStage(balance, {params: {fold: 1}, inputs: {rows: single.rows}});
    const result = await runStage(train, {
      params: {...small, fold: 1, levels: 'h1', finalDense: false, headBatchNorm: false, epochs: 2},
      inputs: {...single, order: outputs.order},
    });
    const {tensors} = readSafeTensors(result.outputs.model);
    const array = (name: string): Float32Array => tensors.get(name)?.data ?? new Float32Array(0);
    const normalise = (name: string, values: readonly number[]): readonly number[] =>
      values.map(
        (value, i) =>
          ((value - (array(`${name}/mean`)[i] ?? 0)) / Math.sqrt((array(`${name}/variance`)[i] ?? 0) + 1e-3)) *
            (array(`${name}/gamma`)[i] ?? 0) +
          (array(`${name}/beta`)[i] ?? 0),
      );
    const layer = (name: string, values: readonly number[], to: number): readonly number[] =>
      Array.from({length: to}, (_, o) =>
        values.reduce(
          (sum, value, i) => sum + value * (array(`${name}/weights`)[i * to + o] ?? 0),
          array(`${name}/biases`)[o] ?? 0,
        ),
      );
    const start = single.features.content.length - 18 * 128;
    const {data} = readFloat32(result.outputs.predictions);
    // Clips 6, 7 and 8 are the first test clips: two folds of three classes come before them.
    for (const [row, clip] of [6, 7, 8].entries()) {
      const bytes = single.features.content.subarray(start + clip * 128, start + (clip + 1) * 128);
      const input = normalise(
        'features/norm',
        [...bytes].map((q) => (q - 128) / 128),
      );
      const hidden = normalise('h1/norm', layer('h1', input, 16)).map((value) => Math.max(0, value));
      const scores = layer('h1/scores', hidden, 3).map((logit) => 1 / (1 + Math.exp(-logit)));
      const total = scores.reduce((a, b) => a + b, 0);
      for (const [c, score] of scores.entries()) expect(data[row * 3 + c]).toBeCloseTo(score / total, 5);
    }
  });

  test('stops when nothing gets better, and keeps the best weights', async () => {
    const {outputs, metrics} = await trainToy({epochs: 60, patience: 2});
    const curve = readCsv(outputs.curve, ['epoch', 'validationMap3', 'validationLoss']);
    expect(metrics['epochs']).toBe((metrics['bestEpoch'] ?? 0) + 2);
    expect(curve).toHaveLength(metrics['epochs'] ?? 0);
    const best = curve[(metrics['bestEpoch'] ?? 0) - 1];
    expect(Number(best?.['validationMap3'])).toBe(metrics['validationMap3']);
    expect(Math.max(...curve.map((row) => Number(row['validationMap3'])))).toBe(metrics['validationMap3']);
  });

  test('keeps the last weights where the validation clips are what is reported, and scores them all the same', async () => {
    const {outputs, metrics} = await trainToy({epochs: 30, patience: 1, keep: 'last'});
    expect(metrics).toEqual({iterations: 30, epochs: 30, bestIteration: 30, bestEpoch: 30});
    expect(readFloat32(outputs.validation).shape).toEqual([12, 4]);
    expect(accuracyOf(outputs.validation)).toBeGreaterThan(0.5);
  });

  test('fold 0 trains on all train clips to the last epoch', async () => {
    const {outputs, metrics} = await trainToy({fold: 0, epochs: 3});
    expect(metrics).toEqual({iterations: 6, epochs: 3, bestIteration: 6, bestEpoch: 3});
    expect(readFloat32(outputs.validation).shape).toEqual([0, 4]);
    expect(readCsv(outputs.curve, ['validationMap3'])[0]?.['validationMap3']).toBe('');
  });

  test('an abort stops it, and no tensors stay behind', async () => {
    const {tf} = await loadEngine({engine: testEngine(), threads: 1});
    const before = tf.memory().numTensors;
    await expect(trainToy({}, 1, {signal: AbortSignal.abort()})).rejects.toThrow('aborted');
    await trainToy({epochs: 1});
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a validation row in the order is refused: it would leak', async () => {
    const {outputs} = await runStage(balance, {params: {fold: 2}, inputs: {rows: toy.rows}});
    const run = runStage(train, {params: {...small, fold: 1}, inputs: {...toy, order: outputs.order}});
    await expect(run).rejects.toThrow('clip `k0024` validates fold 1');
  });

  test('mixed pairs are trained on besides the order', async () => {
    const {outputs} = await runStage(balance, {params: {fold: 1}, inputs: {rows: toy.rows}, seed: 5});
    const run = async (mixed: string, epochs = 20): Promise<TrainResult> =>
      runStage(train, {
        params: {...small, fold: 1, epochs},
        inputs: {...toy, order: outputs.order, mixed: {content: mixed}},
      });
    const pairs = await runStage(mixup, {params: {fold: 1}, inputs: {rows: toy.rows, order: outputs.order}});
    const mixed = readFileSync(pairs.outputs.mixed, 'utf8');
    expect(accuracyOf((await run(mixed)).outputs.predictions)).toBeGreaterThan(0.7);
    const [none, some] = [await run('first,second,share\n', 2), await run(mixed, 2)];
    expect(bytesOf(none)).toEqual(bytesOf(await trainToy({epochs: 2})));
    expect(bytesOf(some)).not.toEqual(bytesOf(none));
  });

  test('float vectors train as the bytes do that stand for the same', async () => {
    const {outputs} = await runStage(balance, {params: {fold: 1}, inputs: {rows: toy.rows}, seed: 5});
    const bytes = {content: toy.features.content};
    const {outputs: floats} = await runStage(dequantize, {inputs: {quantized: bytes}});
    const run = (features: {content: Uint8Array} | string) =>
      runStage(train, {params: {...small, fold: 1, epochs: 2}, inputs: {...toy, features, order: outputs.order}});
    expect(bytesOf(await run(floats.vectors))).toEqual(bytesOf(await run(bytes)));
    const {shape, data} = readFloat32(floats.vectors);
    data[3 * 128 * 2 + 5] = Number.NaN;
    await expect(run({content: encodeNpy({shape, data})})).rejects.toThrow('the features of clip `k0001` hold what is');
  });

  test('only recordings are scored, and the index names them and the classes in order', async () => {
    const single = toyTrainingFiles({classes: 3, clipsPerClass: 6, folds: 2, length: 1});
    const lines = single.rows.content.trimEnd().split('\n');
    // The last clips of the first fold become copies of one: class by class they are k0000 ..., k0009 ...
    const rows = {
      content: `${lines.map((line) => line.replace(/^(\d+),k0009,(.*),,c0$/, '$1,k0009,$2,k0000,c0')).join('\n')}\n`,
    };
    expect(rows.content).not.toBe(single.rows.content);
    const {outputs} = await runStage(balance, {params: {fold: 1}, inputs: {rows}});
    const run = await runStage(train, {
      params: {...small, fold: 1, levels: 'h1', epochs: 2},
      inputs: {features: single.features, rows, order: outputs.order},
    });
    const clip = (n: number): string => `k${String(n).padStart(4, '0')}`;
    expect(readFloat32(run.outputs.validation).shape).toEqual([5, 3]);
    expect(JSON.parse(readFileSync(run.outputs.index, 'utf8'))).toEqual({
      type: 'predictions/1',
      axes: ['clip', 'class'],
      classes: ['c0', 'c1', 'c2'],
      predictions: {dtype: 'float32', shape: [6, 3], unit: 'probability', clips: [6, 7, 8, 15, 16, 17].map(clip)},
      validation: {dtype: 'float32', shape: [5, 3], unit: 'probability', clips: [0, 1, 2, 10, 11].map(clip)},
    });
  });

  test('a fold that does not exist and a level named twice are refused', async () => {
    await expect(trainToy({fold: 7})).rejects.toThrow('fold 7 has no clips');
    await expect(trainToy({levels: 'h1+h1'})).rejects.toThrow('name a level twice');
  });

  test('a training that diverges says so', async () => {
    await expect(trainToy({learningRate: 1e38})).rejects.toThrow(/training diverged/);
  });
});

describe('train, on rows that count differently', () => {
  const lines = toy.rows.content.trimEnd().split('\n').slice(1);
  const clipOf = (line: string): number => Number(line.split(',')[1]?.slice(1));
  /** The toy's rows with columns verified and weight; the first third of the clips is not verified. */
  const rowsOf = (weightOf: (clip: number, isVerified: boolean) => number) => {
    const rows = lines.map((line) => {
      const clip = clipOf(line);
      const isVerified = clip >= 12;
      return `${line},${isVerified ? 1 : 0},${weightOf(clip, isVerified)}`;
    });
    return {content: ['row,key,piece,class,split,fold,parent,label,verified,weight', ...rows, ''].join('\n')};
  };
  const run = async (rows: {content: string}, params: TrainParams = {}, labels: 'all' | 'verified' = 'all') => {
    const {outputs} = await runStage(balance, {params: {fold: 1, labels}, inputs: {rows}, seed: 5});
    const order = outputs.order;
    const {outputs: pairs} = await runStage(mixup, {params: {fold: 1, alpha: 0.4}, inputs: {rows, order}});
    return runStage(train, {
      params: {...small, fold: 1, epochs: 3, ...params},
      inputs: {features: toy.features, rows, order, mixed: pairs.mixed},
    });
  };
  const modelOf = ({outputs}: TrainResult): string => readFileSync(outputs.model).toString('base64');
  const plain = rowsOf(() => 1);

  test('the weight of a row and that of unverified labels multiply', async () => {
    const expected = await run(rowsOf((_, isVerified) => (isVerified ? 1 : 0.25)));
    const both = await run(
      rowsOf((_, isVerified) => (isVerified ? 1 : 0.5)),
      {unverifiedWeight: 0.5},
    );
    expect(modelOf(both)).toBe(modelOf(expected));
    expect(modelOf(await run(plain, {unverifiedWeight: 0.25}))).toBe(modelOf(expected));
    expect(modelOf(await run(plain))).not.toBe(modelOf(expected));
  });

  test('what validation and test clips weigh changes nothing', async () => {
    const others = new Set(lines.filter((line) => !line.includes('train,2')).map(clipOf));
    const rows = rowsOf((clip) => (others.has(clip) ? 0 : 1));
    expect(rows.content).not.toBe(plain.content);
    expect(bytesOf(await run(rows))).toEqual(bytesOf(await run(plain)));
  });

  test('unverified clips are left out altogether, and must not be in the order', async () => {
    const verified = await run(plain, {unverifiedWeight: 0}, 'verified');
    expect(readModel(verified.outputs.model).about).toMatchObject({labels: 'verified'});
    expect(
      accuracyOf((await run(plain, {epochs: 12, unverifiedWeight: 0}, 'verified')).outputs.predictions),
    ).toBeGreaterThan(0.7);
    const all = await run(plain);
    expect(readModel(all.outputs.model).about).toMatchObject({labels: 'all'});
    await expect(run(plain, {unverifiedWeight: 0})).rejects.toThrow(
      'is drawn to train, and counts 0: its label is not',
    );
    // The rows of mixed pairs count as those of the order do.
    const {outputs} = await runStage(balance, {params: {fold: 1, labels: 'verified'}, inputs: {rows: plain}, seed: 5});
    const mixed = {content: 'first,second,share\n32,8,0.5\n'};
    const withPair = (unverifiedWeight: number) =>
      runStage(train, {
        params: {...small, fold: 1, epochs: 1, unverifiedWeight},
        inputs: {features: toy.features, rows: plain, order: outputs.order, mixed},
      });
    await expect(withPair(0)).rejects.toThrow('row 8 (clip `k0004`) is drawn to train, and counts 0');
    expect(readModel((await withPair(1)).outputs.model).about).toMatchObject({labels: 'all'});
    await expect(run(rowsOf(() => 0))).rejects.toThrow('no training row is left of 4 labels');
  });

  test('smoothed labels train otherwise, and no worse here', async () => {
    const smooth = await run(plain, {epochs: 12, labelSmoothing: 0.2});
    expect(accuracyOf(smooth.outputs.predictions)).toBeGreaterThan(0.8);
    expect(modelOf(smooth)).not.toBe(modelOf(await run(plain, {epochs: 12})));
  });
});

describe('train, stopped', () => {
  async function stop(params: TrainParams, checkpoint: string, after: number): Promise<void> {
    await expect(trainToy(params, 1, {checkpoint, signal: stopAfter(after)})).rejects.toThrow('stop');
  }

  test.each([
    ['once an epoch', {}],
    ['every 5 steps', {evaluateEvery: 5}],
    ['with mid-epoch snapshots', {evaluateEvery: 7, checkpointEvery: 2}],
    ['to the end', {keep: 'last'}],
    ['an lstm', {model: 'lstm'}],
  ] as const)('goes on with the same bytes, evaluated %s', async (_, rest) => {
    const params = {epochs: 8, batchSize: 8, ...rest};
    const whole = await trainToy(params);
    const checkpoint = temporaryFolder();
    for (const after of [1, 9, 4]) await stop(params, checkpoint, after);
    const resumed = await trainToy(params, 1, {checkpoint});
    expect(bytesOf(resumed)).toEqual(bytesOf(whole));
    expect(resumed.metrics).toEqual(whole.metrics);
    expect(resumed.logs).toHaveLength(1);
    expect(resumed.logs[0]).toMatch(/^goes on after iteration \d+$/);
    expect(resumed.progress.length).toBeLessThan(whole.progress.length);
  });

  test('goes on with the same bytes after a kill while it scores', async () => {
    const params = {epochs: 8, checkpointEvery: 3, patience: 20};
    const whole = await trainToy(params);
    const checkpoint = temporaryFolder();
    await trainToy(params, 1, {checkpoint});
    const resumed = await trainToy(params, 1, {checkpoint});
    expect(bytesOf(resumed)).toEqual(bytesOf(whole));
    expect(resumed.progress.length).toBeLessThan(3);
  });

  test('starts anew from a checkpoint of other params, seeds or data, and from a damaged one', async () => {
    const params = {epochs: 3, checkpointEvery: 1};
    const whole = bytesOf(await trainToy(params));
    const checkpoint = temporaryFolder();
    const file = join(checkpoint, 'snapshot.safetensors');
    const anew = async (why: string): Promise<void> => {
      const {logs, ...result} = await trainToy(params, 1, {checkpoint});
      expect(logs).toEqual([`the checkpoint is of no use, training starts anew: ${why}`]);
      expect(bytesOf({logs, ...result})).toEqual(whole);
    };
    await trainToy({...params, learningRate: 0.02}, 1, {checkpoint});
    await anew('it is of another training');
    await trainToy(params, 2, {checkpoint});
    await anew('it is of another training');
    const {outputs} = await runStage(balance, {params: {fold: 1}, inputs: {rows: toy.rows}, seed: 5});
    const features = {content: toy.features.content.slice()};
    features.content.fill(7, -1);
    await runStage(train, {
      params: {...small, fold: 1, ...params},
      inputs: {...toy, features, order: outputs.order},
      seed: 1,
      checkpoint,
    });
    await anew('it is of another training');
    const bytes = readFileSync(file);
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await anew('it is damaged');
    writeFileSync(file, bytes.subarray(0, 1000));
    const {logs, ...rest} = await trainToy(params, 1, {checkpoint});
    expect(logs[0]).toContain('the checkpoint is of no use, training starts anew');
    expect(bytesOf({logs, ...rest})).toEqual(whole);
  });
});
