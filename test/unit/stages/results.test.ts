import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import ensemble from '../../../stages/ensemble.ts';
import {encodeNpy, readFloat32} from '../../../stages/lib/formats/npy.ts';
import type {MetricsReport} from '../../../stages/lib/learning/report.ts';
import metrics from '../../../stages/metrics.ts';
import tables from '../../../stages/tables.ts';
import {runStage} from '../../support/stage-harness.ts';

const predictions = (rows: readonly (readonly number[])[]) => ({
  content: encodeNpy({shape: [rows.length, rows[0]?.length ?? 0], data: Float32Array.from(rows.flat())}),
});

describe('ensemble', () => {
  test('is the geometric mean, each row divided by its sum', async () => {
    const {outputs} = await runStage(ensemble, {
      inputs: {predictions: [predictions([[0.8, 0.2]]), predictions([[0.2, 0.8]]), predictions([[0.5, 0.5]])]},
    });
    const {shape, data} = readFloat32(outputs.predictions);
    expect(shape).toEqual([1, 2]);
    expect([...data]).toEqual([0.5, 0.5]);
  });

  test.each([
    ['another shape', [[0.5, 0.25, 0.25]], 'predictions 2 have shape [1, 3], predictions 1 have [1, 2]'],
    ['a value that is no probability', [[0.5, Number.NaN]], 'predictions 2 hold a value that is not a probability'],
  ])('refuses %s', async (_what, second, message) => {
    const inputs = {predictions: [predictions([[0.5, 0.5]]), predictions(second)]};
    await expect(runStage(ensemble, {inputs})).rejects.toThrow(message);
  });

  test('refuses an empty list', async () => {
    await expect(runStage(ensemble, {inputs: {predictions: []}})).rejects.toThrow('no predictions');
  });
});

// Classes Ant, Bee, Cat; the test clips by key are b (Bee), c (Ant), d (Ant); no test clip is a Cat.
const folds = {
  content: [
    'key,label,class,verified,split,fold,group,parent',
    'a,Cat,2,1,train,1,,',
    'd,Ant,0,1,test,0,,',
    'c,Ant,0,1,test,0,,',
    'b,Bee,1,1,test,0,,',
    '',
  ].join('\n'),
};
const scores = [
  [0.1, 0.7, 0.2],
  [0.6, 0.3, 0.1],
  [0.2, 0.5, 0.3],
];

const flat = scores.map((row) => row.map(() => 1 / 3));

async function reportOf(variant: string, rows = scores): Promise<{path: string; report: MetricsReport}> {
  const {outputs} = await runStage(metrics, {params: {variant}, inputs: {predictions: [predictions(rows)], folds}});
  return {path: outputs.metrics, report: JSON.parse(readFileSync(outputs.metrics, 'utf8')) as MetricsReport};
}

describe('metrics', () => {
  test('by hand', async () => {
    const result = await runStage(metrics, {
      params: {variant: 'h1'},
      inputs: {predictions: [predictions(scores)], folds},
    });
    const report = JSON.parse(readFileSync(result.outputs.metrics, 'utf8')) as MetricsReport;
    // Ranks of the true classes: 1, 1, 3. Ant scores 0.1, 0.6, 0.2 for no, yes, yes; Bee 0.7, 0.3, 0.5 for yes, no, no.
    expect(report).toEqual({
      type: 'metrics/1',
      variant: 'h1',
      clips: 3,
      classes: 3,
      map3: expect.closeTo((1 + 1 + 1 / 3) / 3, 12),
      map: 1,
      auc: 1,
      dPrime: null,
      accuracy: 2 / 3,
      perClass: [
        {label: 'Ant', clips: 2, ap: 1, auc: 1, ap3: expect.closeTo((1 + 1 / 3) / 2, 12)},
        {label: 'Bee', clips: 1, ap: 1, auc: 1, ap3: 1},
        {label: 'Cat', clips: 0, ap: null, auc: null, ap3: null},
      ],
      undefined: ['Cat'],
    });
    expect(result.metrics).toEqual({map3: report.map3, map: 1, auc: 1, accuracy: 2 / 3});
    expect(result.logs).toEqual(['left out of MAP or AUC, as not defined: Cat']);
    expect(readFileSync(result.outputs.perClass, 'utf8').split('\n')[3]).toBe('Cat,0,,,');
  });

  test('equal scores are one group, and the mean goes over the classes that have a value', async () => {
    const {report} = await reportOf('flat', flat);
    expect(report.map).toBeCloseTo((2 / 3 + 1 / 3) / 2, 12);
    expect(report.auc).toBe(0.5);
    expect(report.dPrime).toBe(0);
    expect(report.map3).toBeCloseTo((1 / 2 + 1 + 1) / 3, 12);
  });

  test('copies are not scored', async () => {
    const withCopy = {content: `${folds.content}a/pitch+01,Cat,2,1,train,1,,a\n`};
    const result = await runStage(metrics, {
      params: {variant: 'train', split: 'train'},
      inputs: {predictions: [predictions(scores.slice(1, 2))], folds: withCopy},
    });
    expect((JSON.parse(readFileSync(result.outputs.metrics, 'utf8')) as MetricsReport).clips).toBe(1);
  });

  test('another number of clips or classes, and NaN, are refused', async () => {
    await expect(reportOf('x', scores.slice(1))).rejects.toThrow('has 3 test clips of 3 classes');
    await expect(
      reportOf(
        'x',
        scores.map((row) => row.slice(1)),
      ),
    ).rejects.toThrow('shape [3, 2]');
    await expect(reportOf('x', [[Number.NaN, 0, 0], ...scores.slice(1)])).rejects.toThrow('not a finite number');
  });
});

describe('metrics on request', () => {
  const run = (params: object, table = folds) =>
    runStage(metrics, {params: {variant: 'x', ...params}, inputs: {predictions: [predictions(scores)], folds: table}});
  const reportIn = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as MetricsReport;

  test('are of the verified clips', async () => {
    const table = {content: folds.content.replace('d,Ant,0,1,', 'd,Ant,0,0,')};
    const report = reportIn((await run({clips: 'verified'}, table)).outputs.metrics);
    expect(report).toMatchObject({part: 'verified', clips: 2, map3: 1, accuracy: 1});
    expect(report.perClass.map(({clips}) => clips)).toEqual([1, 1, 0]);
    const none = {content: folds.content.replaceAll(',1,test', ',0,test')};
    await expect(run({clips: 'verified'}, none)).rejects.toThrow('none of the clips is verified');
  });

  test('are of one part of the test set', async () => {
    const rows = folds.content.trimEnd().split('\n');
    const usage = ['usage', '', 'private', 'public', 'private'];
    const table = {content: `${rows.map((row, i) => `${row},${usage[i]}`).join('\n')}\n`};
    // By key: b (Bee) is private, c (Ant) public, d (Ant, at rank 3) private.
    expect(reportIn((await run({clips: 'public'}, table)).outputs.metrics)).toMatchObject({part: 'public', clips: 1, map3: 1}); // prettier-ignore
    const {clips, map3, part} = reportIn((await run({clips: 'private'}, table)).outputs.metrics);
    expect([clips, part]).toEqual([2, 'private']);
    expect(map3).toBeCloseTo((1 + 1 / 3) / 2, 12);
    await expect(run({clips: 'public'})).rejects.toThrow('none of the clips is public');
  });

  test('tell the repeat', async () => {
    expect(reportIn((await run({repeat: 3})).outputs.metrics).repeat).toBe(3);
    expect(reportIn((await run({repeat: 0})).outputs.metrics)).not.toHaveProperty('repeat');
  });

  test('have intervals, the same for the same seed', async () => {
    const report = reportIn((await run({bootstrap: 200, confidence: 0.9})).outputs.metrics);
    expect(report.intervals).toMatchObject({resamples: 200, confidence: 0.9, dPrime: null});
    // Of the values 1, 1 and 1/3, and of 1, 1 and 0.
    expect(report.intervals?.map3.low).toBeGreaterThanOrEqual(1 / 3);
    expect(report.intervals?.map3.high).toBe(1);
    expect(report.intervals?.accuracy.high).toBe(1);
    expect(reportIn((await run({bootstrap: 200, confidence: 0.9})).outputs.metrics)).toEqual(report);
    const {intervals, ...rest} = report;
    expect(intervals).toBeDefined();
    expect(reportIn((await run({})).outputs.metrics)).toEqual(rest);
  });
});

// Train clips by key: a (Ant, fold 2), b (Bee, fold 1), c (Cat, fold 2), and a copy of a.
const trainFolds = {
  content: [
    'key,label,class,verified,split,fold,group,parent',
    'a,Ant,0,1,train,2,,',
    'a/pitch+01,Ant,0,1,train,2,,a',
    'b,Bee,1,1,train,1,,',
    'c,Cat,2,1,train,2,,',
    't,Ant,0,1,test,0,,',
    '',
  ].join('\n'),
};
const index = (clips: readonly string[], classes = ['Ant', 'Bee', 'Cat']) => ({
  content: JSON.stringify({type: 'predictions/1', classes, validation: {clips}}),
});

describe('metrics of validation clips', () => {
  const run = async (rows: readonly (readonly (readonly number[])[])[], indexes: readonly {content: string}[]) => {
    const {outputs} = await runStage(metrics, {
      params: {variant: 'x', split: 'train'},
      inputs: {predictions: rows.map(predictions), indexes, folds: trainFolds},
    });
    return JSON.parse(readFileSync(outputs.metrics, 'utf8')) as MetricsReport;
  };
  const one = [[0.7, 0.2, 0.1]];
  const two = [
    [0.6, 0.3, 0.1],
    [0.1, 0.2, 0.7],
  ];

  test('joins the folds by the keys of the indexes, in any order', async () => {
    const report = await run([one, two], [index(['b']), index(['a', 'c'])]);
    expect(report).toMatchObject({clips: 3, accuracy: 2 / 3, undefined: []});
    expect(report.map3).toBeCloseTo((1 / 2 + 1 + 1) / 3, 12);
    const turned = await run([two, one], [index(['a', 'c']), index(['b'])]);
    expect(turned).toEqual(report);
    // A part of the folds is scored as such.
    expect(await run([two], [index(['a', 'c'])])).toMatchObject({clips: 2, accuracy: 1});
  });

  test.each<[string, readonly (readonly (readonly number[])[])[], readonly {content: string}[], string]>([
    ['another number of indexes', [one, two], [index(['b'])], '2 arrays of predictions and 1 of indexes'],
    ['a fold twice', [one, one], [index(['b']), index(['b'])], 'clip `b` is in index 2 and in one before'],
    ['a test clip', [one], [index(['t'])], 'clip `t` of index 1 is no train clip'],
    ['a copy', [one], [index(['a/pitch+01'])], 'clip `a/pitch+01` of index 1 is no train clip'],
    ['other predictions', [two], [index(['b'])], 'predictions 1 have shape [2, 3]; index 1 has 1 validation clip'],
    ['other classes', [one], [index(['b'], ['Ant', 'Cat', 'Bee'])], 'other classes than the folds table'],
    ['what is no index', [one], [{content: '{}'}], 'index 1 is not a predictions/1 index'],
    ['what is no JSON', [one], [{content: 'x'}], 'index 1 is not JSON'],
    ['several predictions alone', [one, two], [], 'there are 2 arrays of predictions'],
  ])('refuses %s', async (_, rows, indexes, message) => {
    await expect(run(rows, indexes)).rejects.toThrow(message);
  });

  test('refuses indexes for test clips', async () => {
    const inputs = {predictions: [predictions(one)], indexes: [index(['b'])], folds: trainFolds};
    await expect(runStage(metrics, {params: {variant: 'x'}, inputs})).rejects.toThrow('indexes say which clips');
  });

  test('says what to do where there are no test clips', async () => {
    const noTest = {content: trainFolds.content.replace(/^t,.*\n/m, '')};
    const inputs = {predictions: [predictions(one)], folds: noTest};
    await expect(runStage(metrics, {params: {variant: 'x'}, inputs})).rejects.toMatchObject({
      message: 'the folds table has no test clips to score',
      hint: 'to score the validation clips, set `split: train` and bind `indexes`',
    });
  });
});

describe('tables', () => {
  test('has the columns that are asked for', async () => {
    const report = await reportOf('h1');
    const {outputs} = await runStage(tables, {
      params: {scores: ['accuracy', 'map']},
      inputs: {metrics: [report.path]},
    });
    expect(readFileSync(outputs.markdown, 'utf8').split('\n')).toEqual([
      '# Results',
      '',
      '| Variant | accuracy |   MAP | clips |',
      '| ------- | -------: | ----: | ----: |',
      '| h1      |    0.667 | 1.000 |     3 |',
      '',
      'Chance level of accuracy with 3 classes: 0.333',
      '',
      'Classes left out of MAP, where it is not defined: Cat',
      '',
    ]);
    expect(readFileSync(outputs.csv, 'utf8')).toBe(`variant,accuracy,map,clips,classes\nh1,${2 / 3},1,3,3\n`);
  });

  test('one row a variant, the best in bold, and the level of chance', async () => {
    const [good, poor] = [await reportOf('h1+h3'), await reportOf('a|b', flat)];
    const {outputs} = await runStage(tables, {
      params: {title: 'Demo'},
      inputs: {metrics: [good.path, poor.path]},
    });
    expect(readFileSync(outputs.markdown, 'utf8')).toBe(
      [
        '# Demo',
        '',
        "| Variant |     MAP@3 |       MAP |       AUC |      d' | clips |",
        '| ------- | --------: | --------: | --------: | ------: | ----: |',
        '| h1+h3   |     0.778 | **1.000** | **1.000** | **inf** |     3 |',
        '| a\\|b    | **0.833** |     0.500 |     0.500 |   0.000 |     3 |',
        '',
        'Chance level of MAP@3 with 3 classes: 0.611',
        '',
        'Classes left out of MAP and AUC, where they are not defined: Cat',
        '',
      ].join('\n'),
    );
    expect(readFileSync(outputs.csv, 'utf8')).toBe(
      `variant,map3,map,auc,dPrime,clips,classes\nh1+h3,${good.report.map3},1,1,,3,3\na|b,${poor.report.map3},0.5,0.5,0,3,3\n`,
    );
    expect(JSON.parse(readFileSync(outputs.json, 'utf8'))).toEqual({
      type: 'results/1',
      title: 'Demo',
      reports: [good.report, poor.report],
    });
  });

  test('a file of another kind is refused', async () => {
    await expect(runStage(tables, {inputs: {metrics: [{content: '{}'}]}})).rejects.toThrow('not a metrics/1 report');
    await expect(runStage(tables, {inputs: {metrics: [{content: 'x'}]}})).rejects.toThrow('report 1 is not JSON');
  });
});
