import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import ensemble from '../../../stages/ensemble.ts';
import {readCsv} from '../../../stages/lib/formats/csv.ts';
import {multiHotBytes, setClasses} from '../../../stages/lib/audioset/multi-hot.ts';
import {encodeNpy, readFloat32} from '../../../stages/lib/formats/npy.ts';
import {geometricMean} from '../../../stages/lib/learning/geometric-mean.ts';
import {runStage, type HarnessOptions} from '../../support/stage-harness.ts';

type Rows = readonly (readonly number[])[];

const classes = ['Ant', 'Bee', 'Cat'];
const array = (rows: Rows, width = rows[0]?.length ?? 3) => ({
  content: encodeNpy({shape: [rows.length, width], data: Float32Array.from(rows.flat())}),
});
const index = (test: readonly string[], validation: readonly string[] = [], names: readonly string[] = classes) => ({
  content: JSON.stringify({
    type: 'predictions/1',
    classes: names,
    predictions: {clips: test},
    validation: {clips: validation},
  }),
});
const table = (testLabel = 'Ant') =>
  [
    'key,label,class,verified,split,fold,group,parent',
    'a,Ant,0,1,train,1,,',
    'a/pitch+01,Ant,0,1,train,1,,a',
    'b,Bee,1,1,train,1,,',
    'c,Cat,2,1,train,2,,',
    `t,${testLabel},${classes.indexOf(testLabel)},1,test,0,,`,
    'u,Bee,1,1,test,0,,',
    '',
  ].join('\n');
const folds = {content: table()};

type Options = HarnessOptions<
  Parameters<typeof ensemble.run>[0]['params'],
  Parameters<typeof ensemble.run>[0]['inputs']
>;

async function combine(options: Options) {
  const {outputs, metrics} = await runStage(ensemble, options);
  return {
    data: [...readFloat32(outputs.predictions).data],
    bytes: readFileSync(outputs.predictions),
    weights: readCsv(outputs.weights, ['model', 'fold', 'variant', 'score', 'weight']),
    metrics,
  };
}

// Test clips t, u by two models.
const one: Rows = [
  [0.5, 0.25, 0.25],
  [0.25, 0.5, 0.25],
];
const two: Rows = [
  [0.25, 0.25, 0.5],
  [0.125, 0.375, 0.5],
];

describe('ensemble of one dataset', () => {
  const run = (second: Rows, indexes: Options['inputs']) =>
    combine({inputs: {predictions: [array(one), array(second)], ...indexes}});

  test('with indexes that agree gives the bytes of that without', async () => {
    const plain = await run(two, {});
    const checked = await run(two, {index: [index(['t', 'u'], ['a', 'b']), index(['t', 'u'], ['c'])]});
    expect(checked.bytes.equals(plain.bytes)).toBe(true);
    const mean = geometricMean([Float32Array.from(one.flat()), Float32Array.from(two.flat())], 3);
    expect(plain.data).toEqual([...mean]);
    expect(plain.weights).toEqual([
      {model: '1', fold: '', variant: '', score: '', weight: '0.5'},
      {model: '2', fold: '', variant: '', score: '', weight: '0.5'},
    ]);
    expect(plain.metrics).toEqual({models: 2});
  });

  test.each([
    ['other clips', index(['t', 'v']), 'index 2 has other clips than index 1: clip `v` instead of clip `u` in place 2'],
    [
      'another order',
      index(['u', 't']),
      'index 2 has other clips than index 1: clip `u` instead of clip `t` in place 1',
    ],
    ['fewer clips', index(['t']), 'index 2 has other clips than index 1: no clip instead of clip `u` in place 2'],
    ['more clips', index(['t', 'u', 'v']), 'clip `v` instead of no clip in place 3'],
    [
      'other classes',
      index(['t', 'u'], [], ['Ant', 'Bee', 'Dog']),
      'other classes than index 1: class `Dog` instead of',
    ],
    ['what is no index', {content: '{"type":"predictions/1"}'}, 'index 2 is not a predictions/1 index'],
    ['null', {content: 'null'}, 'index 2 is not a predictions/1 index'],
    ['what is no JSON', {content: '{'}, 'index 2 is not JSON'],
  ])('refuses %s', async (_what, second, message) => {
    await expect(run(two, {index: [index(['t', 'u']), second]})).rejects.toThrow(message);
  });

  test('refuses indexes of other arrays', async () => {
    const three = index(['t', 'u', 'v']);
    await expect(run(two, {index: [three, three]})).rejects.toThrow(
      'predictions 1 have shape [2, 3]; their index has 3 clips of 3 classes',
    );
    await expect(run(two, {index: [three]})).rejects.toThrow('there are 2 arrays of predictions and 1 of `index`');
  });
});

describe('ensemble by method', () => {
  test('arithmetic', async () => {
    const {data} = await combine({params: {method: 'arithmetic'}, inputs: {predictions: [array(one), array(two)]}});
    expect(data).toEqual([0.375, 0.25, 0.375, 0.1875, 0.4375, 0.375]);
  });

  test('geometric of several labels a clip is not divided by the sum, and has a floor', async () => {
    const inputs = {predictions: [array([[0.5, 0.25]]), array([[0.125, 0]])]};
    const {data} = await combine({params: {labels: 'multi', floor: 0.0625}, inputs});
    expect(data[0]).toBeCloseTo(0.25, 7);
    expect(data[1]).toBeCloseTo(0.125, 7);
  });

  // Validation clips a (Ant), b (Bee) of fold 1. Model 1 has ranks 1, 1; model 2 ranks 2, 1.
  const right = array([
    [0.75, 0.125, 0.125],
    [0.125, 0.75, 0.125],
  ]);
  const worse = array([
    [0.25, 0.75, 0],
    [0, 0.75, 0.25],
  ]);
  const fold1 = index(['t', 'u'], ['a', 'b']);
  const inputs = {
    predictions: [array(one), array(two)],
    index: [fold1, fold1],
    validation: [right, worse],
    folds,
  };

  test('weighted by hand', async () => {
    const {data, weights, metrics} = await combine({params: {method: 'weighted'}, inputs});
    const [a, b] = [1 / (1 + 0.75), 0.75 / (1 + 0.75)];
    for (const [i, value] of one.flat().entries()) {
      expect(data[i]).toBeCloseTo(a * value + b * (two.flat()[i] as number), 6);
    }
    expect(weights.map(({fold, variant, score}) => [fold, variant, score])).toEqual([
      ['1', '1', '1'],
      ['1', '2', '0.75'],
    ]);
    expect(Number(weights[0]?.['weight'])).toBeCloseTo(a, 12);
    expect(metrics).toEqual({models: 2, used: 2, validationScore: 1});
  });

  test('weighted where all score the same is the arithmetic mean', async () => {
    const same = {...inputs, validation: [right, right]};
    const weighted = await combine({params: {method: 'weighted', power: 7}, inputs: same});
    const arithmetic = await combine({params: {method: 'arithmetic'}, inputs: same});
    expect(weighted.bytes.equals(arithmetic.bytes)).toBe(true);
  });

  test('greedy leaves out what does not help', async () => {
    const {data, weights, metrics} = await combine({params: {method: 'greedy'}, inputs});
    expect(data).toEqual(one.flat());
    expect(weights.map(({weight}) => weight)).toEqual(['1', '0']);
    expect(metrics).toEqual({models: 2, used: 1, validationScore: 1});
    const wide = await combine({params: {method: 'greedy', initial: 2, size: 2}, inputs});
    expect(wide.weights.map(({weight}) => weight)).toEqual(['1', '0']);
  });

  test('greedy never scores less on validation than any variant alone', async () => {
    const row = fc
      .array(fc.integer({min: 0, max: 16}), {minLength: 6, maxLength: 6})
      .map((values) => array([values.slice(0, 3).map((v) => v / 16), values.slice(3).map((v) => v / 16)]));
    await fc.assert(
      fc.asyncProperty(fc.array(row, {minLength: 1, maxLength: 4}), async (validation) => {
        const {weights, metrics} = await combine({
          params: {method: 'greedy', size: 8},
          inputs: {
            predictions: validation.map(() => array(one)),
            index: validation.map(() => fold1),
            validation,
            folds,
          },
        });
        const scores = weights.map(({score}) => Number(score));
        expect(metrics['validationScore']).toBeGreaterThanOrEqual(Math.max(...scores) - 1e-12);
      }),
      {numRuns: 40},
    );
  });

  test.each(['weighted', 'greedy'] as const)('%s does not look at the labels of test clips', async (method) => {
    const plain = await combine({params: {method}, inputs});
    const other = await combine({params: {method}, inputs: {...inputs, folds: {content: table('Cat')}}});
    expect(other.bytes.equals(plain.bytes)).toBe(true);
    expect(other.weights).toEqual(plain.weights);
  });

  test.each([
    ['a test clip', ['a', 't'], 'clip `t` of index 2 is no train clip of the folds table'],
    ['a copy', ['a', 'a/pitch+01'], 'clip `a/pitch+01` of index 2 is no train clip'],
    [
      'clips of two folds',
      ['a', 'c'],
      'validation 2 are of more than one fold: clip `a` of fold 1, clip `c` of fold 2',
    ],
    ['another number of clips', ['a'], 'validation 2 have shape [2, 3]; their index has 1 clip of 3 classes'],
  ])('refuses to be weighted by %s', async (_what, clips, message) => {
    const wrong = {...inputs, index: [fold1, index(['t', 'u'], clips)]};
    await expect(combine({params: {method: 'weighted'}, inputs: wrong})).rejects.toThrow(message);
  });

  test('refuses what cannot be weighed', async () => {
    const fails = (given: Options['inputs'], message: string, labels: 'single' | 'multi' = 'single') =>
      expect(combine({params: {method: 'greedy', labels}, inputs: given ?? {}})).rejects.toThrow(message);
    const {predictions, index: indexes, validation} = inputs;
    await fails({predictions}, "method greedy needs the models' scores on their validation clips");
    await fails({predictions, index: indexes, validation}, "needs the models' scores");
    await fails({predictions, validation, folds}, "needs the models' scores");
    await fails({...inputs, validation: [right]}, 'there are 2 arrays of predictions and 1 of `validation`');
    await fails(inputs, "needs the models' scores", 'multi');
    const none = index(['t', 'u'], []);
    await fails(
      {...inputs, index: [none, fold1], validation: [array([], 3), worse]},
      'model 1 has no validation clips',
    );
    const broken = array([
      [Number.NaN, 0, 0],
      [0, 0, 0],
    ]);
    await fails({...inputs, validation: [right, broken]}, 'validation 2 hold a value that is not a finite number');
    const lacking = {content: table().replace(/^c,.*\n/m, '')};
    await fails({...inputs, folds: lacking}, 'index 1 has other classes than the folds table');
  });
});

describe('ensemble of taggers', () => {
  /** Classes of the training clips, a list for each. */
  const targets = (clips: readonly (readonly number[])[], count = 3) => {
    const width = multiHotBytes(count);
    const data = new Uint8Array(clips.length * width);
    for (const [i, own] of clips.entries()) setClasses(data.subarray(i * width, (i + 1) * width), own);
    return {content: encodeNpy({shape: [clips.length, width], data})};
  };
  // Rows 1, 3 and 6 are held out: of classes 0 and 1, of class 2, of class 1.
  const trainingClips = [targets([[0], [0, 1], [2]]), targets([[2], [0], [1], [1]])];
  const held = index(['t', 'u'], ['1', '3', '6']);
  // Average precision 1 of each class.
  const right = array([
    [0.75, 0.75, 0.125],
    [0.125, 0.125, 0.875],
    [0.25, 0.625, 0.25],
  ]);
  // 1/2 of the first class, 5/6 of the second, 1 of the third: 7/9.
  const worse = array([
    [0.5, 0.75, 0.125],
    [0.875, 0.625, 0.875],
    [0.125, 0.125, 0.125],
  ]);
  const inputs = {
    predictions: [array(one), array(two)],
    index: [held, held],
    validation: [worse, right],
    targets: trainingClips,
  };

  test('is weighted by MAP on the clips that all held out', async () => {
    const {data, weights, metrics} = await combine({params: {method: 'weighted', labels: 'multi'}, inputs});
    for (const [i, value] of one.flat().entries()) {
      expect(data[i]).toBeCloseTo((7 / 16) * value + (9 / 16) * (two.flat()[i] as number), 6);
    }
    expect(weights.map(({fold, variant}) => [fold, variant])).toEqual([
      ['', '1'],
      ['', '2'],
    ]);
    for (const [i, score] of [7 / 9, 1].entries()) expect(Number(weights[i]?.['score'])).toBeCloseTo(score, 12);
    expect(metrics).toMatchObject({models: 2, used: 2});
  });

  test('is picked greedily', async () => {
    const params = {method: 'greedy', labels: 'multi'} as const;
    const {data, weights, metrics} = await combine({params, inputs});
    expect(data).toEqual(two.flat());
    expect(weights.map(({weight}) => weight)).toEqual(['0', '1']);
    expect(metrics).toEqual({models: 2, used: 1, validationScore: 1});
    // Each is right where the other is not, so that only both together are right everywhere.
    const [left, other] = [
      array([
        [0.75, 0.75, 0.125],
        [0.125, 0.125, 0.25],
        [0.25, 0.625, 0.375],
      ]),
      array([
        [0.75, 0.75, 0.125],
        [0.125, 0.25, 0.875],
        [0.25, 0.125, 0.25],
      ]),
    ];
    const both = await combine({params, inputs: {...inputs, validation: [left, other]}});
    expect(both.weights.map(({weight}) => weight)).toEqual(['0.5', '0.5']);
    expect(both.metrics['validationScore']).toBe(1);
  });

  test('refuses taggers that cannot be compared', async () => {
    const fails = (given: Partial<typeof inputs>, message: string) =>
      expect(combine({params: {method: 'greedy', labels: 'multi'}, inputs: {...inputs, ...given}})).rejects.toThrow(
        message,
      );
    const others = index(['t', 'u'], ['1', '3', '5']);
    await fails(
      {index: [held, others]},
      'index 2 has other clips than index 1: clip `5` instead of clip `6` in place 3',
    );
    const none = index(['t', 'u'], []);
    await fails({index: [none, none], validation: [array([]), array([])]}, 'the taggers have no clips held out');
    const [first] = trainingClips;
    if (first === undefined) throw new Error('no targets');
    await fails({targets: [first]}, 'clip `3` held out is no row of the targets, which have 3');
    const named = index(['t', 'u'], ['a', 'b', 'c']);
    await fails({index: [named, named]}, 'clip `a` held out is no row of the targets');
    await fails({targets: [targets([[0]], 9)]}, 'have shape (1, 2); (rows, 1) is needed for 3 classes');
    await fails({validation: [right, array([[0, 0, 0]])]}, 'validation 2 have shape [1, 3]; their index has 3 clips');
    await fails({targets: [targets([[], [], [], [], [], [], []])]}, 'the clips held out have no class');
  });
});
