import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {MetricsReport} from '../../../stages/lib/learning/report.ts';
import tables from '../../../stages/tables.ts';
import {runStage} from '../../support/stage-harness.ts';

const report = (variant: string, map3: number, more: Partial<MetricsReport> = {}) => ({
  content: JSON.stringify({
    type: 'metrics/1',
    variant,
    clips: 1600,
    classes: 41,
    map3,
    map: 0.5,
    auc: 0.9,
    dPrime: 1.812,
    accuracy: 0.6,
    perClass: [],
    undefined: [],
    ...more,
  }),
});

const text = (path: string): string => readFileSync(path, 'utf8');

describe('a published table', () => {
  test('stands beside ours, whatever the variants are called', async () => {
    const {outputs} = await runStage(tables, {
      params: {scores: ['map3'], reference: 'table-14'},
      inputs: {metrics: [report('h1', 0.91), report('h1+h2+h3', 0.94), report('LEVEL_13', 0.9), report('mine', 0.9)]},
    });
    expect(text(outputs.markdown).split('\n').slice(2)).toEqual([
      '| Variant  |     MAP@3 | MAP@3 (published) | clips |',
      '| -------- | --------: | ----------------: | ----: |',
      '| h1       |     0.910 |             0.930 |  1600 |',
      '| h1+h2+h3 | **0.940** |         **0.936** |  1600 |',
      '| LEVEL_13 |     0.900 |             0.929 |  1600 |',
      '| mine     |     0.900 |                 - |  1600 |',
      '| level-2  |         - |             0.929 |     - |',
      '| level-3  |         - |             0.934 |     - |',
      '| level-12 |         - |             0.935 |     - |',
      '| level-23 |         - |             0.928 |     - |',
      '',
      'Chance level of MAP@3 with 41 classes: 0.045',
      '',
    ]);
    expect(text(outputs.csv).split('\n').slice(0, 6)).toEqual([
      'variant,map3,map3Published,clips,classes',
      'h1,0.91,0.93,1600,41',
      'h1+h2+h3,0.94,0.936,1600,41',
      'LEVEL_13,0.9,0.929,1600,41',
      'mine,0.9,,1600,41',
      'level-2,,0.929,,',
    ]);
    const {reference} = JSON.parse(text(outputs.json)) as {reference: readonly object[]};
    expect(reference).toHaveLength(7);
    expect(reference[0]).toEqual({variant: 'level-1', score: 'map3', value: 0.93});
  });

  test('has a column for each score that it knows, and none for the others', async () => {
    const {outputs} = await runStage(tables, {
      params: {scores: ['map', 'dPrime', 'accuracy'], reference: 'table-10'},
      inputs: {metrics: [report('dnn-1', 0)]},
    });
    expect(text(outputs.csv).split('\n').slice(0, 3)).toEqual([
      'variant,map,mapPublished,dPrime,dPrimePublished,accuracy,clips,classes',
      'dnn-1,0.5,0.253,1.812,2.133,0.6,1600,41',
      'DNN-2,,0.294,,2.482,,,',
    ]);
  });

  test('with lettered rows takes the letter for the row', async () => {
    const {outputs} = await runStage(tables, {
      params: {scores: ['map3'], reference: 'table-13'},
      inputs: {metrics: [report('F', 0.9), report('g: d with mixup 0.4', 0.9)]},
    });
    expect(text(outputs.csv)).toContain(
      'F,0.9,0.936,1600,41\ng: d with mixup 0.4,0.9,0.931,1600,41\nA: 1-segment,,0.903',
    );
  });

  test('has nothing for scores that were not published', async () => {
    const run = runStage(tables, {
      params: {scores: ['auc'], reference: 'table-12'},
      inputs: {metrics: [report('x', 1)]},
    });
    await expect(run).rejects.toThrow('the reference has none of the scores auc');
  });
});

describe('a reference of one’s own', () => {
  const run = (content: string, reference: 'none' | 'table-10' = 'none') =>
    runStage(tables, {
      params: {scores: ['map3', 'auc'], reference},
      inputs: {metrics: [report('a', 0.5)], reference: {content}},
    });

  test('is a csv table', async () => {
    const {outputs} = await run('variant,metric,value,note\n a ,map3,.25,x\nb,accuracy,1,\n');
    expect(text(outputs.csv)).toBe('variant,map3,map3Published,auc,clips,classes\na,0.5,0.25,0.9,1600,41\n');
  });

  test.each([
    ['variant,metric,value\na,mpa,1\n', 'line 2: unknown metric `mpa`'],
    ['variant,metric,value\na,map3,NaN\n', 'line 2: the value is `NaN`; a number is needed'],
    ['variant,metric,value\na,map3,\n', 'line 2: the value is ``'],
    ['variant,metric,value\n,map3,1\n', 'line 2: the variant has no name'],
    ['variant,metric,value\nA,map3,1\na,map3,2\n', 'line 3: map3 of `a` stands on line 2 already'],
    ['variant,metric\na,map3\n', 'no column `value`'],
    ['variant,metric,value\n', 'the reference has no rows'],
  ])('%j is refused', async (content, message) => {
    await expect(run(content)).rejects.toThrow(message);
  });

  test('is instead of a published one', async () => {
    await expect(run('variant,metric,value\na,map3,1\n', 'table-10')).rejects.toThrow('there are two references');
  });
});

test('clips of several classes have no level of chance that the number of classes tells', async () => {
  const metrics = [report('a', 0.5, {multiLabel: true}), report('b', 0.5, {multiLabel: true, classes: 527})];
  const {outputs} = await runStage(tables, {inputs: {metrics}});
  expect(text(outputs.markdown)).not.toContain('Chance');
  const mixed = await runStage(tables, {inputs: {metrics: [...metrics, report('c', 0.5, {classes: 50})]}});
  expect(text(mixed.outputs.markdown).match(/Chance.*/g)).toEqual(['Chance level of MAP@3 with 50 classes: 0.037']);
});

describe('LaTeX', () => {
  test('has the rules of booktabs, the best in bold, and no character that means something', async () => {
    const {outputs} = await runStage(tables, {
      params: {title: '5 % of A&B_c', scores: ['map3', 'dPrime']},
      inputs: {
        metrics: [
          report('h1', 0.25, {auc: 1, dPrime: null}),
          report('\\x{$#~^<>|"}\n\nHund\'s é', 0.75, {undefined: ['Dog & cat']}),
        ],
      },
    });
    expect(text(outputs.latex)).toBe(
      [
        '% needs \\usepackage{booktabs}',
        '\\begin{table}',
        '  \\centering',
        '  \\caption{5 \\% of A\\&B\\_c}',
        '  \\begin{tabular}{lrrr}',
        '    \\toprule',
        "    Variant & MAP@3 & $d'$ & clips \\\\",
        '    \\midrule',
        '    h1 & 0.250 & \\textbf{$\\infty$} & 1600 \\\\',
        "    \\textbackslash{}x\\{\\$\\#\\textasciitilde{}\\textasciicircum{}\\textless{}\\textgreater{}\\textbar{}\\textquotedbl{}\\} Hund's é & \\textbf{0.750} & 1.812 & 1600 \\\\",
        '    \\bottomrule',
        '  \\end{tabular}',
        '  \\par\\smallskip{\\footnotesize Chance level of MAP@3 with 41 classes: 0.045\\par}',
        '\\end{table}',
        '',
      ].join('\n'),
    );
  });

  test('is the same bytes again', async () => {
    const run = async () => {
      const options = {params: {reference: 'table-12' as const}, inputs: {metrics: [report('All Ensemble', 0.9)]}};
      const {outputs} = await runStage(tables, options);
      return Object.values(outputs).map(text);
    };
    expect(await run()).toEqual(await run());
  });
});
