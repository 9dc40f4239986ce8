import fc from 'fast-check';
import {format} from 'prettier';
import {describe, expect, test} from 'vitest';
import {nodeId} from '../../../src/core/pipeline.ts';
import {nodeAxes} from '../../../src/core/node-axes.ts';
import {makePaint} from '../../../src/report/paint.ts';
import {pivotRows, pivotTable, summarise} from '../../../src/report/metric-pivot.ts';
import {
  belowFloors,
  compareNodes,
  compareTexts,
  filterRows,
  metricNames,
  metricRow,
  sortRows,
  type MetricRow,
} from '../../../src/report/metric-rows.ts';
import {tablesByName, wideTable} from '../../../src/report/metric-table.ts';
import {deltaText, numberText} from '../../../src/report/number-text.ts';
import {csvTable, markdownTables, plainTables} from '../../../src/report/value-table-text.ts';

const paint = makePaint(false);
const rows: readonly MetricRow[] = [
  metricRow('clips', {clips: 110}),
  metricRow('score[fold=1,levels=h1]', {map3: 0.5, loss: 1.25}),
  metricRow('score[fold=1,levels=h2]', {map3: 0.625, loss: 1}),
  metricRow('score[fold=2,levels=h1]', {map3: 0.75, loss: 1.5}),
  metricRow('score[fold=10,levels=h1]', {map3: 0.25, loss: 2}),
  metricRow('score[fold=10,levels=h2]', undefined),
];
const score = rows.slice(1);
const ids = (some: readonly MetricRow[]): readonly string[] => some.map(({node}) => node);

describe('node ids', () => {
  test.each([
    ['train', {}],
    ['train', {fold: 1, levels: 'h1+h3'}],
    ['train', {of: 'a,b]=|c', also: '', on: true}],
  ])('%s %j comes apart', (name, variant) => {
    const {name: read, axes} = nodeAxes(nodeId(name, variant));
    expect(nodeId(read, Object.fromEntries(axes))).toBe(nodeId(name, Object.fromEntries(axes)));
    expect([read, [...axes.keys()]]).toEqual([name, Object.keys(variant)]);
  });
});

test('numbers', () => {
  const values = [0, -3, 110, 0.5, 0.123456, 1e-5, -2e-7, 123456.789, 2e9 + 0.5, 1e20];
  expect(values.map((value) => numberText(value))).toEqual([
    '0',
    '-3',
    '110',
    '0.5000',
    '0.1235',
    '1.000e-5',
    '-2.000e-7',
    '123456.7890',
    '2.000e+9',
    '1.000e+20',
  ]);
  expect([0.25, 3, -1e-9, 1 / 3].map((value) => numberText(value, 2))).toEqual(['0.25', '3', '0.00', '0.33']);
  expect([0.25, -0.25, 0, 3].map(deltaText)).toEqual(['+0.2500', '-0.2500', '0', '+3']);
});

describe('rows', () => {
  test('a metric that is no number is not reported', () => {
    expect(metricNames([metricRow('a', {good: 1, bad: null, worse: '1', worst: Infinity})])).toEqual(['good']);
  });

  test('filters keep what has the values', () => {
    const filtered = (...filters: string[]): unknown => {
      const result = filterRows(rows, filters);
      return result.ok ? ids(result.value) : result.error.map(({code, message, hint}) => [code, message, hint]);
    };
    expect(filtered('fold=2')).toEqual(['score[fold=2,levels=h1]']);
    expect(filtered('fold=1|2', 'levels=h1')).toEqual(['score[fold=1,levels=h1]', 'score[fold=2,levels=h1]']);
    expect(filtered('fold=1,levels=h2')).toEqual(['score[fold=1,levels=h2]']);
    expect(filtered('fold=*')).toHaveLength(5);
    expect(filtered()).toHaveLength(6);
    expect(filtered('fold=2,levels=h2')).toEqual([]);
    expect(filtered('folds=1')).toEqual([
      ['unknown-axis', 'no node here has the axis `folds`', 'did you mean `fold`?'],
    ]);
    expect(filtered('levels=h3')).toEqual([['unknown-node', 'no node here has levels=h3', 'did you mean `h1`?']]);
    expect(filtered('fold')).toEqual([
      ['usage', '`fold` is no filter', 'write axis=value, axis=value|value, or several with commas between'],
    ]);
    expect(filtered('fold=1].x')).toMatchObject([['usage', '`fold=1].x` is no filter', expect.any(String)]]);
  });

  test('sort by a metric from the largest, by an axis from the smallest, and what lacks it last', () => {
    expect(sortRows(score, {by: 'map3'}).map(({metrics}) => metrics?.get('map3'))).toEqual([
      0.75,
      0.625,
      0.5,
      0.25,
      undefined,
    ]);
    expect(sortRows(score, {by: 'loss', descending: false})[0]?.node).toBe('score[fold=1,levels=h2]');
    expect(sortRows(rows, {by: 'fold', descending: true}).map(({axes}) => axes.get('fold'))).toEqual([
      '10',
      '10',
      '2',
      '1',
      '1',
      undefined,
    ]);
    expect(['h2', '10', '9', 'h1', '-1'].sort(compareTexts)).toEqual(['-1', '9', '10', 'h1', 'h2']);
  });

  test('nodes go by name, then by what their axes say', () => {
    const nodes = ['b', 'a[of=x,fold=10]', 'a[of=x,fold=9]', 'a[of=w,fold=11]', 'B'];
    const sorted = nodes.map((node) => metricRow(node, {})).sort(compareNodes);
    expect(ids(sorted)).toEqual(['B', 'a[of=w,fold=11]', 'a[of=x,fold=9]', 'a[of=x,fold=10]', 'b']);
  });

  test('floors: equal passes, and a variant that was not measured is below', () => {
    expect(belowFloors(rows, [{metric: 'map3', floor: 0.5}])).toEqual([
      {node: 'score[fold=10,levels=h1]', metric: 'map3', floor: 0.5, value: 0.25},
      {node: 'score[fold=10,levels=h2]', metric: 'map3', floor: 0.5},
    ]);
    expect(belowFloors(rows.slice(0, 4), [{metric: 'map3', floor: 0.5}])).toEqual([]);
  });
});

describe('tables', () => {
  test('one for each name, with its own axes and metrics', () => {
    expect(plainTables(tablesByName(rows.slice(0, 4), metricNames(rows)), paint)).toMatchInlineSnapshot(`
      "clips
      clips
        110

      score
      fold  levels    map3    loss
      1     h1      0.5000  1.2500
      1     h2      0.6250       1
      2     h1      0.7500  1.5000"
    `);
    expect(tablesByName(rows, ['clips']).map(({title}) => title)).toEqual(['clips']);
  });

  test('csv has the union of the columns and numbers in full', () => {
    const odd = metricRow('a[of="x,y"]', {third: 1 / 3});
    expect(csvTable(wideTable([...rows.slice(0, 2), odd], ['clips', 'map3', 'third']))).toBe(
      'node,fold,levels,of,clips,map3,third\nclips,,,,110,,\nscore,1,h1,,,0.5,\na,,,"""x,y""",,,0.3333333333333333\n',
    );
  });

  test('markdown escapes what would end a cell', () => {
    expect(markdownTables(tablesByName([metricRow('a[of="x|y"]', {n: 1})], ['n']))).toBe(
      '**a**\n\n| of     |   n |\n| :----- | --: |\n| "x\\|y" |   1 |\n',
    );
  });

  test('prettier leaves markdown tables as they are, whatever stands in them', async () => {
    const word = fc.oneof(
      fc.string({minLength: 1, maxLength: 8}),
      fc.string({unit: fc.constantFrom(...Array.from('_*`|\\[]<>&;~#- aé日🎉1')), minLength: 1, maxLength: 8}),
      fc.constantFrom('log_mel', 'a&amp;b', '---', 'https://x.y/a_b', 'h1+h3', '日本語', 'e\u0301', '**x**', '[a](b)'),
    );
    const number = fc.option(fc.double({noNaN: true, noDefaultInfinity: true}), {nil: undefined});
    const table = fc.record({
      title: word,
      columns: fc.constant([
        {title: 'of', numeric: false},
        {title: 'n', numeric: true},
      ]),
      rows: fc.array(fc.tuple(word, number), {minLength: 1, maxLength: 4}),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(table, {minLength: 1, maxLength: 2}), fc.option(fc.nat(8)), async (tables, digits) => {
        const text = markdownTables(tables, digits ?? undefined);
        expect(await format(text, {parser: 'markdown'})).toBe(text);
      }),
      {numRuns: 300},
    );
  });

  test('digits are of numbers that are not whole', () => {
    const pivot = pivotRows(rows, ['map3'], ['fold'], undefined);
    const look = {mean: true, wide: false, digits: 2};
    expect(markdownTables([pivotTable(pivot, ['fold'], look)], 2)).toMatchInlineSnapshot(`
      "**score map3**

      | levels | fold=1 | fold=2 | fold=10 |   mean ± sd |
      | :----- | -----: | -----: | ------: | ----------: |
      | h1     |   0.50 |   0.75 |    0.25 | 0.50 ± 0.25 |
      | h2     |   0.63 |        |         |        0.63 |
      "
    `);
  });
});

describe('pivot', () => {
  test('an axis becomes columns in order of size, with mean and sd of a sample', () => {
    const pivot = pivotRows(rows, ['map3'], ['fold'], undefined);
    expect(plainTables([pivotTable(pivot, ['fold'], {mean: true, wide: false})], paint)).toMatchInlineSnapshot(`
      "score map3
      levels  fold=1  fold=2  fold=10        mean ± sd
      h1      0.5000  0.7500   0.2500  0.5000 ± 0.2500
      h2      0.6250                            0.6250"
    `);
    expect(csvTable(pivotTable(pivot, ['fold'], {mean: true, wide: true}))).toBe(
      'node,levels,metric,fold=1,fold=2,fold=10,mean,sd,n\nscore,h1,map3,0.5,0.75,0.25,0.5,0.25,3\nscore,h2,map3,0.625,,,0.625,,1\n',
    );
  });

  test('several metrics are rows, in the order of the mean of one of them', () => {
    const pivot = pivotRows(score, ['map3', 'loss'], ['fold'], {by: 'map3'});
    expect(pivot.rows.map(({axes, metric}) => [axes.get('levels'), metric])).toEqual([
      ['h2', 'map3'],
      ['h2', 'loss'],
      ['h1', 'map3'],
      ['h1', 'loss'],
    ]);
    expect(pivotTable(pivot, ['fold'], {mean: false, wide: false}).columns.map(({title}) => title)).toEqual([
      'levels',
      'metric',
      'fold=1',
      'fold=2',
      'fold=10',
    ]);
  });

  test('the order may go by a metric that is not shown, or by an axis', () => {
    const levels = (by: string, descending?: boolean): readonly unknown[] =>
      pivotRows(score, ['map3'], ['fold'], {by, ...(descending === undefined ? {} : {descending})}).rows.map(({axes}) =>
        axes.get('levels'),
      );
    expect(levels('loss')).toEqual(['h1', 'h2']);
    expect(levels('loss', false)).toEqual(['h2', 'h1']);
    expect(levels('levels', true)).toEqual(['h2', 'h1']);
  });

  test('several axes: a column for each combination, names stay as they come', () => {
    expect(pivotRows(score, ['map3'], ['fold', 'levels'], undefined)).toMatchObject({
      columns: ['1,h1', '1,h2', '2,h1', '10,h1'],
      rows: [{values: [0.5, 0.625, 0.75, 0.25]}],
    });
    expect(pivotRows(rows, ['clips'], ['fold'], undefined).rows).toEqual([]);
  });

  test('summaries', () => {
    expect(summarise([])).toEqual({n: 0});
    expect(summarise([undefined, 3])).toEqual({n: 1, mean: 3});
    expect(summarise([2, undefined, 4, 4, 4, 5, 5, 7, 9])).toEqual({n: 8, mean: 5, sd: Math.sqrt(32 / 7)});
  });
});
