import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {encodeNpy} from '../../../stages/lib/formats/npy.ts';
import {readCsv} from '../../../stages/lib/formats/csv.ts';
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

const lines = (path: string): readonly string[] => text(path).split('\n');

describe('a published table', () => {
  test('stands beside ours in its order, whatever the variants are called', async () => {
    const {outputs} = await runStage(tables, {
      params: {scores: ['map3'], reference: 'table-14'},
      inputs: {metrics: [report('F', 0.94), report('mine', 0.9), report('h1', 0.91), report('LEVEL_13', 0.9)]},
    });
    expect(lines(outputs.markdown).slice(2)).toEqual([
      '| Variant  | Model     |     MAP@3 | MAP@3 (published) | clips |',
      '| -------- | --------- | --------: | ----------------: | ----: |',
      '| h1       |           |     0.910 |             0.930 |  1600 |',
      '| level-2  |           |         - |             0.929 |     - |',
      '| level-3  |           |         - |             0.934 |     - |',
      '| level-12 |           |         - |             0.935 |     - |',
      '| LEVEL_13 |           |     0.900 |             0.929 |  1600 |',
      '| level-23 |           |         - |             0.928 |     - |',
      '| F        | level-123 | **0.940** |         **0.936** |  1600 |',
      '| mine     |           |     0.900 |                 - |  1600 |',
      '',
      'Chance level of MAP@3 with 41 classes: 0.045',
      '',
      'Published: MAP@3 of the public part of the test set of FSDKaggle2018, 301 clips.',
      '',
    ]);
    expect(lines(outputs.csv)).toEqual([
      'variant,about,map3,map3Published,clips,classes',
      'h1,,0.91,0.93,1600,41',
      'level-2,,,0.929,,',
      'level-3,,,0.934,,',
      'level-12,,,0.935,,',
      'LEVEL_13,,0.9,0.929,1600,41',
      'level-23,,,0.928,,',
      'F,level-123,0.94,0.936,1600,41',
      'mine,,0.9,,1600,41',
      '',
    ]);
    const {reference} = JSON.parse(text(outputs.json)) as {reference: {variants: object[]; pairs: object[]}};
    expect(reference.variants).toHaveLength(7);
    expect(reference.variants[0]).toEqual({variant: 'level-1', names: ['F-level-1'], scores: {map3: 0.93}});
    expect(reference.pairs).toHaveLength(21);
  });

  test('has a column for each score that it knows, and none for the others', async () => {
    const {outputs} = await runStage(tables, {
      params: {scores: ['map', 'dPrime', 'accuracy'], reference: 'table-10'},
      inputs: {metrics: [report('dnn-1', 0)]},
    });
    expect(lines(outputs.csv).slice(0, 3)).toEqual([
      'variant,map,mapPublished,dPrime,dPrimePublished,accuracy,clips,classes',
      'dnn-1,0.5,0.253,1.812,2.133,0.6,1600,41',
      'DNN-2,,0.294,,2.482,,,',
    ]);
  });

  test('of lettered rows says what they are; ours may say it too', async () => {
    const {outputs} = await runStage(tables, {
      params: {scores: ['map3'], reference: 'table-13', notRun: 'hide', about: {x: 'mine', F: 'D + mixup'}},
      inputs: {metrics: [report('x', 0.9), report('F', 0.9), report('c', 0.8)]},
    });
    expect(lines(outputs.csv).slice(0, 5)).toEqual([
      'variant,about,map3,map3Published,clips,classes',
      'c,6-segment multi-level attention,0.8,0.925,1600,41',
      'F,D + mixup,0.9,0.936,1600,41',
      'x,mine,0.9,,1600,41',
      '',
    ]);
  });

  test.each([
    [
      'table-12',
      ['original', 'Balanced_First', 'balanced', 'unbalanced last part', 'all'],
      [0.606, 0.87, 0.891, 0.872, 0.903],
    ],
    ['table-15', ['F', 'F-4'], [undefined, 0.936]],
    ['table-15', ['6 segments', '1-segment', 'length-2'], [undefined, undefined, 0.936]],
    ['table-14', ['F-h1+h3', 'F-h1+h2+h3'], [0.929, 0.936]],
  ] as const)('%s finds %j', async (reference, variants, figures) => {
    const {outputs} = await runStage(tables, {
      params: {scores: ['map3'], reference, notRun: 'hide'},
      inputs: {metrics: variants.map((variant) => report(variant, 0.5))},
    });
    const rows = readCsv(outputs.csv, ['map3Published']);
    expect(rows.map((row) => (row['map3Published'] === '' ? undefined : Number(row['map3Published'])))).toEqual(
      figures,
    );
  });

  test('takes names that it cannot know', async () => {
    const run = (names: Readonly<Record<string, string>>) =>
      runStage(tables, {
        params: {scores: ['map3'], reference: 'table-13', notRun: 'hide', names},
        inputs: {metrics: [report('recurrent', 0.5)]},
      });
    expect(lines((await run({recurrent: 'b'})).outputs.csv)[1]).toBe('recurrent,LSTM,0.5,0.914,1600,41');
    await expect(run({recurrent: 'Z'})).rejects.toThrow(
      'names: `recurrent` is said to be `Z`, which the reference does not have',
    );
    const plain = {params: {names: {a: 'b'}}, inputs: {metrics: [report('a', 1)]}};
    await expect(runStage(tables, plain)).rejects.toThrow('the param names is set, and there is no reference');
  });

  test('has nothing for scores that were not published', async () => {
    const run = (reference: 'table-11' | 'table-12') =>
      runStage(tables, {params: {scores: ['auc'], reference}, inputs: {metrics: [report('x', 1)]}});
    await expect(run('table-12')).rejects.toMatchObject({
      message: 'the reference has none of the scores auc',
      hint: 'it has map3: set `scores`',
    });
    await expect(run('table-11')).rejects.toMatchObject({hint: 'it has no scores: bind `pairs` or `predictions`'});
  });
});

describe('repeats of a variant', () => {
  const repeats = (values: readonly number[], more: Partial<MetricsReport> = {}) =>
    values.map((map3, i) => report('a', map3, {...more, ...(i > 0 && {repeat: i})}));

  test('are one row: mean, standard deviation, and how many', async () => {
    const {outputs} = await runStage(tables, {
      params: {scores: ['map3', 'dPrime']},
      inputs: {metrics: [...repeats([0.5, 0.6, 0.7], {auc: 1, dPrime: null}), report('b', 0.6001)]},
    });
    expect(lines(outputs.markdown).slice(2, 8)).toEqual([
      "| Variant |             MAP@3 |      d' | repeats | clips |",
      '| ------- | ----------------: | ------: | ------: | ----: |',
      '| a       | **0.600 ± 0.100** | **inf** |       3 |  1600 |',
      '| b       |         **0.600** |   1.812 |       1 |  1600 |',
      '',
      '±: standard deviation (n - 1) over the repeats of the training, each with another seed.',
    ]);
    const rows = readCsv(outputs.csv, ['map3Deviation']);
    expect(Object.keys(rows[0] ?? {})).toEqual(
      ['variant', 'map3', 'map3Deviation', 'dPrime', 'repeats', 'clips', 'classes'], // prettier-ignore
    );
    expect(Number(rows[0]?.['map3Deviation'])).toBeCloseTo(0.1, 12);
    expect(rows[1]).toMatchObject({map3Deviation: '', repeats: '1'});
    expect(text(outputs.latex)).toContain('\\textbf{0.600 $\\pm$ 0.100}');
  });

  test('that are not told apart, or of other clips, are refused', async () => {
    const run = (...metrics: readonly {content: string}[]) => runStage(tables, {inputs: {metrics}});
    await expect(run(report('a', 1), report('a', 1))).rejects.toThrow('two reports are of variant `a`');
    await expect(run(report('a', 1, {repeat: 2}), report('b', 1), report('a', 1, {repeat: 2}))).rejects.toThrow(
      'two reports are of variant `a` and repeat 2',
    );
    await expect(run(report('a', 1), report('a', 1, {repeat: 2, clips: 9}))).rejects.toThrow(
      'repeats 0 and 2 of variant `a` were not scored on the same clips',
    );
  });
});

test('intervals stand in brackets, and a part of the clips is told', async () => {
  const interval = (low: number, high: number) => ({low, high});
  const intervals = {
    ...{resamples: 1000, confidence: 0.9, map: null, auc: null, dPrime: null},
    ...{map3: interval(0.6789, 0.7), accuracy: interval(0, 1)},
  };
  const {outputs} = await runStage(tables, {
    params: {scores: ['map3', 'auc']},
    inputs: {metrics: [report('a', 0.688, {intervals, part: 'verified'}), report('b', 0.7)]},
  });
  expect(lines(outputs.markdown).slice(2, 10)).toEqual([
    '| Variant |                MAP@3 |       AUC | clips |',
    '| ------- | -------------------: | --------: | ----: |',
    '| a       | 0.688 [0.679, 0.700] | **0.900** |  1600 |',
    '| b       |            **0.700** | **0.900** |  1600 |',
    '',
    'In brackets: intervals of 90 % of 1000 bootstrap samples of the clips.',
    '',
    'Scored on verified clips only (a).',
  ]);
  expect(lines(outputs.csv).slice(0, 3)).toEqual([
    'variant,map3,map3Low,map3High,auc,clips,classes',
    'a,0.688,0.6789,0.7,0.9,1600,41',
    'b,0.7,,,0.9,1600,41',
  ]);
});

describe('p-values of pairs', () => {
  const pairs = (...rows: readonly string[]) => ({
    content: ['a,b,pOneSided,pTwoSided,holmOneSided,holmTwoSided,score', ...rows, ''].join('\n'),
  });
  const three = pairs('h3,h1,0.03,0.06,0.06,0.12,ap3', 'h3,F,0.001,0.002,0.003,0.006,ap3', 'h1,F,,,,,ap3');

  test('stand above the diagonal, below the scores, marked, with the published ones', async () => {
    const {outputs} = await runStage(tables, {
      params: {title: 'T', scores: ['map3'], reference: 'table-14', notRun: 'hide'},
      inputs: {metrics: [report('h3', 0.9), report('h1', 0.8), report('F', 0.7)], pairs: three},
    });
    const printed = lines(outputs.markdown);
    expect(printed.slice(printed.indexOf('# T: p-values'))).toEqual([
      '# T: p-values',
      '',
      '|     |             h3 |               F |',
      '| --- | -------------: | --------------: |',
      '| h1  | 0.030* (0.108) |       - (0.050) |',
      '| h3  |                | 0.001** (0.169) |',
      '',
      'p-values of paired t-tests over the AP@3 of the classes, one-sided, P(T > \\|t\\|). One star: below 0.05; ' +
        'two: also when the 3 pairs are corrected for (Holm).',
      '',
      '-: not defined, as the two differ in no class, or by the same everywhere.',
      '',
      'In brackets: published, one-sided.',
      '',
    ]);
    expect(lines(outputs.csv)).toEqual([
      'variant,about,map3,map3Published,clips,classes,p(h1),p(h1)Published,p(h3),p(h3)Published,p(F),p(F)Published',
      'h1,,0.8,0.93,1600,41,,,0.03,0.108,,0.05',
      'h3,,0.9,0.934,1600,41,0.03,0.108,,,0.001,0.169',
      'F,level-123,0.7,0.936,1600,41,,0.05,0.001,0.169,,',
      '',
    ]);
    expect(text(outputs.latex)).toContain('    h1 & \\cellcolor[gray]{0.85}0.030* (0.108) & - (0.050) \\\\\n');
    expect(text(outputs.latex)).toContain('% needs \\usepackage{booktabs,colortbl}');
  });

  test('alone are a table; what the reference says without a number is a word', async () => {
    const {outputs} = await runStage(tables, {
      params: {reference: 'table-11', notRun: 'show'},
      inputs: {pairs: pairs('h2,h3,0.5,1,0.5,1,ap')},
    });
    expect(lines(outputs.markdown).slice(0, 10)).toEqual([
      '# Results',
      '',
      '|          |  h2 |            h3 | level-12 |  level-13 |  level-23 | level-123 |',
      '| -------- | --: | ------------: | -------: | --------: | --------: | --------: |',
      '| level-1  |     |               |          | (similar) |           |           |',
      '| h2       |     | 0.500 (0.210) |          |           | (similar) |           |',
      '| h3       |     |               |          |           | (similar) |           |',
      '| level-12 |     |               |          |           |           |           |',
      '| level-13 |     |               |          |           |           |           |',
      '| level-23 |     |               |          |           |           |           |',
    ]);
    expect(text(outputs.markdown)).toContain('The other p-values of Table 11 are not in the text.');
  });

  test.each([
    [pairs('x,y,2,0,0,0,ap'), 'the pairs, line 2: pOneSided is `2`; a number in 0 ... 1 is needed'],
    [pairs('x,y,0.1,0,x,0,ap'), 'line 2: holmOneSided is `x`'],
    [pairs('x,y,0.1,0,0,0,map'), 'line 2: score is `map`; ap or auc or ap3 is needed'],
    [pairs(), 'the pairs have no rows'],
  ])('%j is refused', async (content, message) => {
    await expect(runStage(tables, {inputs: {pairs: content}})).rejects.toThrow(message);
  });

  test('of two sides do not stand beside one-sided ones', async () => {
    const options = {params: {sides: 2, reference: 'table-14' as const}, inputs: {pairs: three}};
    await expect(runStage(tables, options)).rejects.toThrow('the p-values of the reference are one-sided');
    const {outputs} = await runStage(tables, {params: {sides: 2}, inputs: {pairs: three}});
    expect(text(outputs.markdown)).toContain('| h3  | 0.060 | 0.002** |');
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

describe('classes taken for others', () => {
  const labels = ['Cello', 'Clarinet', 'Double_bass', 'Flute', 'Saxophone'];
  /** True and predicted classes. */
  const clips = ['00', '00', '02', '04', '11', '13', '13', '10', '14', '31'];
  const folds = {
    content: [
      'key,label,class,verified,split,fold,group,parent',
      ...clips.map(([own = ''], i) => `k${i + 10},${labels[Number(own)]},${own},1,test,0,,`),
      ...[2, 4].map((own) => `train${own},${labels[own]},${own},1,train,1,,`),
      '',
    ].join('\n'),
  };
  const scores = clips.flatMap(([, top]) => labels.map((_, c) => (c === Number(top) ? 1 : 0)));
  const predictions = {content: encodeNpy({shape: [clips.length, 5], data: Float32Array.from(scores)})};

  test('are counted class by class, the worst first', async () => {
    const {outputs} = await runStage(tables, {
      params: {title: 'Mistakes', reference: 'table-16', mistakes: 1},
      inputs: {predictions, folds},
    });
    expect(lines(outputs.markdown)).toEqual([
      '# Mistakes',
      '',
      '| Class    | clips | wrong | error rate | taken for                  |',
      '| -------- | ----: | ----: | ---------: | -------------------------- |',
      '| Flute    |     1 |     1 |    100.0 % | Clarinet 1                 |',
      '| Clarinet |     5 |     4 |     80.0 % | Flute 2, 2 others: 2       |',
      '| Cello    |     4 |     2 |     50.0 % | Double_bass 1, Saxophone 1 |',
      '',
      '7 clips of 10 have their highest score at a wrong class.',
      '',
      'Mistakes on Flute, Saxophone, Clarinet: 5, of them 4 for one another.',
      '',
      'Mistakes on Cello, Violin_or_fiddle, Double_bass: 2, of them 1 for one another.',
      '',
      'Published: Table 16 is not in the text, which names as similar, and taken for each other, ' +
        'Flute, Saxophone, Clarinet; and Cello, Violin_or_fiddle, Double_bass.',
      '',
    ]);
    expect(lines(outputs.csv)).toEqual([
      'label,clips,wrong,predicted,count',
      'Flute,1,1,Clarinet,1',
      'Clarinet,5,4,Flute,2',
      'Clarinet,5,4,Cello,1',
      'Clarinet,5,4,Saxophone,1',
      'Cello,4,2,Double_bass,1',
      'Cello,4,2,Saxophone,1',
      '',
    ]);
    expect(text(outputs.latex)).toContain('\\begin{tabular}{lrrrp{0.5\\linewidth}}');
    expect(JSON.parse(text(outputs.json))).toMatchObject({type: 'results/1', classes: labels});
  });

  test('may be none', async () => {
    const right = clips.flatMap(([own]) => labels.map((_, c) => (c === Number(own) ? 1 : 0)));
    const content = encodeNpy({shape: [clips.length, 5], data: Float32Array.from(right)});
    const {outputs} = await runStage(tables, {inputs: {predictions: {content}, folds}});
    expect(text(outputs.markdown)).toContain('0 clips of 10 have their highest score at a wrong class.');
    expect(text(outputs.markdown)).toContain('Classes without a mistake: Cello, Clarinet, Flute');
    expect(text(outputs.csv)).toBe('label,clips,wrong,predicted,count\n');
  });

  test('are a table of their own', async () => {
    const run = runStage(tables, {inputs: {metrics: [report('a', 1)], predictions, folds}});
    await expect(run).rejects.toThrow('classes taken for others are a table of their own');
    await expect(runStage(tables, {inputs: {predictions}})).rejects.toThrow('the true classes are not known');
    await expect(runStage(tables, {})).rejects.toThrow('there are no reports to tabulate');
  });
});

describe('Markdown', () => {
  test('shows any name as it is', async () => {
    const names = ['a|b', 'a\\|b', '*x* _y_ `z`', '<b>é</b> < 3', 'h_1*2', '犬', '\n'];
    const {outputs} = await runStage(tables, {
      params: {scores: ['accuracy'], title: '<i>'},
      inputs: {metrics: names.map((name) => report(name, 0.5))},
    });
    expect(lines(outputs.markdown).slice(0, 11)).toEqual([
      '# \\<i>',
      '',
      '| Variant          |  accuracy | clips |',
      '| ---------------- | --------: | ----: |',
      '| a\\|b             | **0.600** |  1600 |',
      '| a\\\\\\|b           | **0.600** |  1600 |',
      '| \\*x* \\_y\\_ \\`z\\` | **0.600** |  1600 |',
      '| \\<b>é\\</b> < 3   | **0.600** |  1600 |',
      '| h_1\\*2           | **0.600** |  1600 |',
      '| 犬               | **0.600** |  1600 |',
      '|                  | **0.600** |  1600 |',
    ]);
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
