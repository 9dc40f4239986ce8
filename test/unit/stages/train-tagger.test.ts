import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {multiHotBytes, setClasses} from '../../../stages/lib/audioset/multi-hot.ts';
import {readCsvTable} from '../../../stages/lib/formats/csv.ts';
import {encodeNpy, readFloat32, readUint8} from '../../../stages/lib/formats/npy.ts';
import {dequantize} from '../../../stages/lib/learning/quantize.ts';
import {readModel} from '../../../stages/lib/models/model-file.ts';
import {createPredictor} from '../../../stages/lib/models/predictor.ts';
import {createRng} from '../../../stages/lib/rng.ts';
import {loadEngine} from '../../../stages/lib/tensors/engine.ts';
import audiosetFeatures from '../../../stages/audioset-features.ts';
import trainTagger from '../../../stages/train-tagger.ts';
import {sharedData} from '../../support/shared-data.ts';
import {
  runStage,
  temporaryFolder,
  testEngine,
  type HarnessOptions,
  type HarnessResult,
} from '../../support/stage-harness.ts';
import {stopAfter} from '../../support/stop-after.ts';

const CLASSES = 9;
const WIDTH = 12;
const VECTORS = 3;

interface Clips {
  readonly features: {readonly content: Uint8Array};
  readonly targets: {readonly content: Uint8Array};
}

/** Clips of one or two classes; each class adds to one value of some of the vectors, the rest is noise. */
function clipsOf(count: number, seed: number): Clips {
  const rng = createRng(seed);
  const values = new Uint8Array(count * VECTORS * WIDTH);
  const bits = new Uint8Array(count * multiHotBytes(CLASSES));
  for (let clip = 0; clip < count; clip++) {
    const labels = [...new Set([clip % CLASSES, rng.integer(CLASSES)])].sort((a, b) => a - b);
    setClasses(bits.subarray(clip * 2, clip * 2 + 2), labels);
    for (let t = 0; t < VECTORS; t++) {
      for (let i = 0; i < WIDTH; i++) {
        const isOn = labels.includes(i) && (t === clip % VECTORS || rng.uniform() < 0.5);
        values[(clip * VECTORS + t) * WIDTH + i] = (isOn ? 190 : 90) + rng.integer(60);
      }
    }
  }
  return {
    features: {content: encodeNpy({shape: [count, VECTORS, WIDTH], data: values})},
    targets: {content: encodeNpy({shape: [count, 2], data: bits})},
  };
}

const EVAL = 40;
const [first, second, scored] = [clipsOf(90, 1), clipsOf(30, 2), clipsOf(EVAL, 3)];
const names = Array.from({length: CLASSES}, (_, c) => `class ${c}`);
const inputs = {
  features: [first.features, second.features],
  targets: [first.targets, second.targets],
  classes: {content: ['index,mid,label', ...names.map((name, c) => `${c},/m/${c},${name}`), ''].join('\n')},
  evalFeatures: scored.features,
  evalTargets: scored.targets,
  evalClips: {
    content: ['row,video_id', ...Array.from({length: EVAL}, (_, row) => `${row},v${row}`), ''].join('\n'),
  },
};

type Options = HarnessOptions<
  Parameters<typeof trainTagger.run>[0]['params'],
  Parameters<typeof trainTagger.run>[0]['inputs']
>;
type Trained = HarnessResult<Parameters<typeof trainTagger.run>[0]['outputs']>;

const SMALL = {
  units: 16,
  batchSize: 20,
  iterations: 60,
  evaluateEvery: 10,
  learningRate: 0.01,
  batchNormMomentum: 0.8,
  dropout: 0.1,
  headBatchNorm: false,
  priorBias: true,
} as const;

function train(params: Options['params'] = {}, rest: Options = {}): Promise<Trained> {
  return runStage(trainTagger, {params: {...SMALL, ...params}, inputs, seed: 5, ...rest});
}

function writtenFile(content: Uint8Array): string {
  const path = join(temporaryFolder(), 'array.npy');
  writeFileSync(path, content);
  return path;
}

const bytesOf = ({outputs}: Trained): readonly Buffer[] => Object.values(outputs).map((path) => readFileSync(path));
const curveOf = ({outputs}: Trained): readonly number[] =>
  readCsvTable(outputs.curve, ['iteration', 'trainLoss', 'meanPrecision', 'meanArea']).rows.map(({record}) =>
    Number(record['meanPrecision']),
  );

describe('train-tagger', () => {
  test.each([
    ['attention', {model: 'attention', levels: 'h2', finalDense: false}],
    ['attention of two levels', {model: 'attention', levels: 'h1+h2', headBatchNorm: true}],
    ['dnn', {model: 'dnn', levels: 'h1'}],
    ['dnn on the mean', {model: 'dnn', levels: 'h1', view: 'mean'}],
    ['lstm', {model: 'lstm'}],
    ['lstm with a mask', {model: 'lstm', mask: true}],
    ['the mean of two levels', {model: 'attention', levels: 'h1+h2', finalDense: false}],
  ] as const)('learns with %s', async (_, params) => {
    const trained = await train(params);
    const {shape, data} = readFloat32(trained.outputs.predictions, 2);
    expect(shape).toEqual([EVAL, CLASSES]);
    expect(data.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(trained.metrics['meanPrecision']).toBeGreaterThan(0.6);
    expect(trained.metrics['meanArea']).toBeGreaterThan(0.7);
    expect(trained.metrics['dPrime']).toBeGreaterThan(0.7);
  });

  test.each([false, true])('a model of means averages by itself, mask: %s', async (mask) => {
    const {outputs} = await train({model: 'attention', levels: 'h1', view: 'mean', mask, iterations: 20});
    const {graph, weights} = readModel(outputs.model);
    const {shape, data} = readUint8(writtenFile(scored.features.content), 3);
    const predictor = createPredictor(await loadEngine({engine: testEngine(), threads: 1}), graph, weights);
    const scores = await predictor.run({features: {shape, data: dequantize(data, 'unit')}});
    predictor.dispose();
    const own = readFloat32(outputs.predictions, 2).data;
    const differences = own.map((value, i) => Math.abs(value - (scores[graph.outputs[0] ?? '']?.data[i] ?? NaN)));
    expect(Math.max(...differences)).toBeLessThan(1e-5);
  });

  test('keeps the weights that are best on the clips held out, which do not train', async () => {
    const trained = await train({model: 'dnn', levels: 'h1', holdout: 0.25});
    const curve = curveOf(trained);
    const best = Math.max(...curve);
    expect(trained.metrics).toMatchObject({
      iterations: 10 * curve.length,
      bestIteration: 10 * (1 + curve.indexOf(best)),
      selectionMeanPrecision: best,
    });
    expect(readFloat32(trained.outputs.validation, 2).shape).toEqual([30, CLASSES]);
    const index = JSON.parse(readFileSync(trained.outputs.index, 'utf8')) as {
      readonly type: string;
      readonly classes: readonly string[];
      readonly predictions: {readonly clips: readonly string[]};
      readonly validation: {readonly clips: readonly string[]};
    };
    expect(index.type).toBe('predictions/1');
    expect(index.classes).toEqual(names);
    expect(index.predictions.clips[EVAL - 1]).toBe(`v${EVAL - 1}`);
    expect(new Set(index.validation.clips).size).toBe(30);
    expect(readModel(trained.outputs.model)).toMatchObject({
      classes: names,
      about: {model: 'dnn', selectOn: 'holdout'},
    });
    expect(trained.logs[0]).toBe('90 clips to train on, 30 held out, 40 to score');
  });

  test('may choose on the clips that are scored, and then holds none out', async () => {
    const trained = await train({model: 'dnn', levels: 'h1', selectOn: 'eval'});
    expect(trained.metrics['meanPrecision']).toBe(trained.metrics['selectionMeanPrecision']);
    expect(readFloat32(trained.outputs.validation, 2).shape).toEqual([0, CLASSES]);
  });

  test('stops when evaluations bring nothing better', async () => {
    const params = {iterations: 5000, patience: 2, evaluateEvery: 5, selectOn: 'eval'} as const;
    const trained = await train({model: 'dnn', levels: 'h1', ...params});
    const curve = curveOf(trained);
    const best = Math.max(...curve);
    expect(curve.length).toBe(curve.indexOf(best) + 3);
    // The weights are those of the best evaluation, not of the last.
    expect(trained.metrics['meanPrecision']).toBe(best);
  });

  test('gives the same bytes again, and others for another seed or sampler', async () => {
    const params = {model: 'dnn', levels: 'h1', iterations: 20} as const;
    const one = await train(params);
    expect(bytesOf(await train(params))).toEqual(bytesOf(one));
    expect(bytesOf(await train(params, {seed: 6}))).not.toEqual(bytesOf(one));
    expect(bytesOf(await train({...params, sampler: 'plain'}))).not.toEqual(bytesOf(one));
  });

  test('holds out the same clips whatever the model and the seed', async () => {
    const heldOut = async (params: Options['params'], seed: number): Promise<readonly string[]> => {
      const {outputs} = await train({model: 'dnn', levels: 'h1', iterations: 1, ...params}, {seed});
      const {validation} = JSON.parse(readFileSync(outputs.index, 'utf8')) as {
        readonly validation: {readonly clips: readonly string[]};
      };
      return validation.clips;
    };
    const clips = await heldOut({}, 5);
    expect(await heldOut({levels: 'h2'}, 6)).toEqual(clips);
    expect(await heldOut({holdoutSeed: 2}, 5)).not.toEqual(clips);
  });

  test('leaves out clips that are to be scored, and those that came before', async () => {
    const table = (ids: readonly string[]) => ({
      content: ['row,video_id', ...ids.map((id, i) => `${i},${id}`)].join('\n'),
    });
    const own = Array.from({length: 120}, (_, row) => `t${row}`);
    const params = {model: 'dnn', levels: 'h1', iterations: 2, holdout: 0.5} as const;
    const given = (ids: readonly string[]): Promise<Trained> =>
      train(params, {inputs: {...inputs, clips: [table(ids.slice(0, 90)), table(ids.slice(90))]}});
    const plain = await train(params);
    expect(bytesOf(await given(own))).toEqual(bytesOf(plain));
    expect(plain.metrics['leftOut']).toBe(0);
    const fewer = await given(own.with(7, 'v3').with(95, 't0').with(119, 't118'));
    expect(fewer.logs.slice(0, 2)).toEqual([
      '3 clips left out: 1 are to be scored, 2 came before',
      '58 clips to train on, 59 held out, 40 to score',
    ]);
    expect(fewer.metrics['leftOut']).toBe(3);
    await expect(given(own.map(() => 'v0'))).rejects.toThrow('all training clips are among the clips to score');
  });

  test('refuses what does not fit', async () => {
    await expect(train({holdout: 0.999})).rejects.toThrow('120 clips are to be held out, and there are 120');
    await expect(train({levels: 'h1+h1'})).rejects.toThrow('name a level twice');
    const evalClips = {content: 'row,video_id\n0,a\n'};
    await expect(train({}, {inputs: {...inputs, evalClips}})).rejects.toThrow('the clips table has 1 row');
    const classes = {content: 'index,mid,label\n0,/m/0,a\n'};
    await expect(train({}, {inputs: {...inputs, classes}})).rejects.toThrow('one class or none');
    const evalFeatures = {content: encodeNpy({shape: [EVAL, 1, 2], data: new Uint8Array(2 * EVAL)})};
    await expect(train({}, {inputs: {...inputs, evalFeatures}})).rejects.toThrow('has 2 values');
  });
});

describe('train-tagger, stopped', () => {
  /** Runs until it is told to stop, which is when training has looked so often whether it is to. */
  async function stop(params: Options['params'], checkpoint: string, after: number): Promise<void> {
    const signal = stopAfter(after);
    await expect(train(params, {checkpoint, signal})).rejects.toThrow('stop');
  }

  test.each(['balanced', 'plain'] as const)('goes on with the same bytes, sampling %s', async (sampler) => {
    const params = {model: 'attention', levels: 'h1', sampler, iterations: 36, checkpointEvery: 4} as const;
    const whole = await train(params);
    const checkpoint = temporaryFolder();
    for (const after of [1, 13, 9]) await stop(params, checkpoint, after);
    const resumed = await train(params, {checkpoint});
    expect(bytesOf(resumed)).toEqual(bytesOf(whole));
    expect(resumed.logs).toContain('goes on after iteration 23');
    expect(resumed.progress.length).toBeLessThan(whole.progress.length);
  });

  test('starts anew from a checkpoint of another training, or a damaged one', async () => {
    const params = {model: 'dnn', levels: 'h1', iterations: 10} as const;
    const checkpoint = temporaryFolder();
    const whole = await train(params);
    await train({...params, learningRate: 0.02}, {checkpoint});
    const other = await train(params, {checkpoint});
    expect(bytesOf(other)).toEqual(bytesOf(whole));
    expect(other.logs).toContain('the checkpoint is of no use, training starts anew: it is of another training');
    writeFileSync(join(checkpoint, 'snapshot.safetensors'), 'x');
    expect(bytesOf(await train(params, {checkpoint}))).toEqual(bytesOf(whole));
  });
});

const shards = sharedData('audioset-embeddings');
const table = sharedData('audioset-meta/class_labels_indices.csv');

describe.skipIf(shards === undefined || table === undefined)('train-tagger, on released features', () => {
  test('learns from a part of the unbalanced clips what it tells of the balanced ones', {timeout: 60_000}, async () => {
    const [unbalanced, balanced] = await Promise.all(
      ['unbal_train_sample', 'bal_train'].map(async (split) => {
        const {outputs} = await runStage(audiosetFeatures, {
          inputs: {shards: join(shards ?? '', split), classes: table ?? ''},
        });
        return outputs;
      }),
    );
    const trained = await runStage(trainTagger, {
      params: {...SMALL, model: 'dnn', levels: 'h1', view: 'mean', units: 64, batchSize: 200, sampler: 'plain'},
      inputs: {
        features: [unbalanced?.features ?? ''],
        targets: [unbalanced?.targets ?? ''],
        classes: balanced?.classes ?? '',
        evalFeatures: balanced?.features ?? '',
        evalTargets: balanced?.targets ?? '',
        evalClips: balanced?.clips ?? '',
      },
    });
    expect(trained.logs[0]).toBe('877 clips to train on, 98 held out, 22160 to score');
    // A random order gives 0.0045 and 0.5.
    expect(trained.metrics['meanPrecision']).toBeGreaterThan(0.04);
    expect(trained.metrics['meanArea']).toBeGreaterThan(0.65);
  });
});
