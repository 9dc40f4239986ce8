import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import figures from '../../../stages/figures.ts';
import {encodeNpy} from '../../../stages/lib/formats/npy.ts';
import {textWidth} from '../../../stages/lib/figures/text-width.ts';
import {runStage, type HarnessOptions} from '../../support/stage-harness.ts';
import {elementsOf, parseSvg, type SvgElement} from '../../support/svg.ts';

type Options = NonNullable<
  Parameters<typeof runStage<typeof figures.params, typeof figures.inputs, typeof figures.outputs>>[1]
>;

async function draw(options: Options): Promise<(name: string) => string> {
  const {outputs} = await runStage(figures, options satisfies HarnessOptions<unknown, unknown>);
  return (name) => readFileSync(join(outputs.figures, name), 'utf8');
}

const texts = (svg: SvgElement): readonly string[] => elementsOf(svg, 'text').map(({text}) => text);
const ofClass = (svg: SvgElement, name: string, own: string): readonly SvgElement[] =>
  elementsOf(svg, name).filter(({attributes}) => attributes['class']?.split(' ').includes(own));
const number = (element: SvgElement | undefined, name: string): number => Number(element?.attributes[name]);

const CURVE = 'epoch,trainLoss,validationMap3\n1,3.5,0.1\n2,2.5,0.3\n3,2,0.35\n';

describe('training curves', () => {
  test('have a panel a column and a line a training', async () => {
    const curves = [{content: CURVE}, {content: CURVE.replace('3.5', '4.5')}];
    const svg = parseSvg((await draw({params: {folds: [1, 3], title: 'h1'}, inputs: {curves}}))('curves.svg'));
    expect(texts(svg)).toEqual(
      expect.arrayContaining(['Training curves: h1', 'fold 1', 'fold 3', 'trainLoss', 'epoch']),
    );
    const lines = ofClass(svg, 'path', 'line').filter(({children}) => children.length > 0);
    expect(lines.map(({attributes, children}) => [attributes['class'], children[0]?.text])).toEqual([
      ['line s0', 'fold 1'],
      ['line s1', 'fold 3'],
      ['line s0', 'fold 1'],
      ['line s1', 'fold 3'],
    ]);
    // From left to right; a loss that falls goes down, which is to a larger y.
    const points = [...(lines[0]?.attributes['d'] ?? '').matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map((m) =>
      [m[1], m[2]].map(Number),
    );
    expect(points).toHaveLength(3);
    expect(points.flat().every(Number.isFinite)).toBe(true);
    const [[x0 = 0, y0 = 0] = [], [x1 = 0, y1 = 0] = []] = points;
    expect(x1).toBeGreaterThan(x0);
    expect(y1).toBeGreaterThan(y0);
  });

  test('are broken where nothing was measured, and dots where there is one value', async () => {
    const curves = [{content: 'iteration,map\n0,\n100,0.1\n200,0.2\n300,\n400,0.4\n'}];
    const svg = parseSvg((await draw({inputs: {curves}}))('curves.svg'));
    const [line] = ofClass(svg, 'path', 'line');
    expect(line?.attributes['d']?.match(/[ML]/g)).toEqual(['M', 'L']);
    expect(elementsOf(svg, 'circle')).toHaveLength(1);
  });

  test('may have one epoch, none, or no values', async () => {
    const one = parseSvg((await draw({inputs: {curves: [{content: 'epoch,loss\n1,2\n'}]}}))('curves.svg'));
    expect(elementsOf(one, 'circle')).toHaveLength(1);
    for (const content of ['epoch,loss\n', 'epoch,loss\n1,\n2,\n']) {
      expect(texts(parseSvg((await draw({inputs: {curves: [{content}]}}))('curves.svg')))).toContain('no values');
    }
  });

  test('count by iteration where there are iterations and epochs', async () => {
    const curves = [{content: 'iteration,epoch,loss\n10,1,2\n20,2,1\n'}];
    const panels = async (columns: readonly string[]) =>
      ofClass(parseSvg((await draw({params: {columns}, inputs: {curves}}))('curves.svg')), 'text', 'panel');
    expect((await panels([])).map(({text}) => text)).toEqual(['loss']);
    expect((await panels(['epoch'])).map(({text}) => text)).toEqual(['epoch']);
  });

  test('have the columns that are asked for', async () => {
    const run = (columns: readonly string[]) => draw({params: {columns}, inputs: {curves: [{content: CURVE}]}});
    const svg = parseSvg((await run(['validationMap3']))('curves.svg'));
    expect(ofClass(svg, 'text', 'panel').map(({text}) => text)).toEqual(['validationMap3']);
    await expect(run(['map'])).rejects.toMatchObject({hint: 'there are trainLoss, validationMap3'});
  });

  test.each([
    ['epoch,loss\n1,NaN\n', 'the curve `curve 1`, line 2: loss is `NaN`; a number is needed'],
    ['epoch,loss\n1,Infinity\n', 'loss is `Infinity`'],
    ['epoch,loss\n1,2\n,3\n', 'line 3: epoch is ``'],
    ['epoch,loss\n2,1\n2,1\n', 'line 3: epoch 2 does not come after 2'],
    ['epoch\n1\n', 'has one column'],
  ])('%j is refused', async (content, message) => {
    await expect(draw({inputs: {curves: [{content}]}})).rejects.toThrow(message);
  });

  test('of another count, or with too few names, are refused', async () => {
    const curves = [{content: CURVE}, {content: 'iteration,loss\n1,2\n'}];
    await expect(draw({inputs: {curves}})).rejects.toThrow('counts by epoch, the curve `curve 2` by iteration');
    await expect(draw({params: {curveNames: ['a']}, inputs: {curves}})).rejects.toThrow('2 curves and 1 names');
  });
});

const report = (variant: string, rows: readonly (readonly [label: string, ap: number | null])[]) => ({
  content: JSON.stringify({
    type: 'metrics/1',
    variant,
    clips: 9,
    classes: rows.length,
    map3: 0,
    map: 0,
    auc: 0.5,
    dPrime: 0,
    accuracy: 0,
    perClass: rows.map(([label, ap]) => ({label, clips: 3, ap, auc: 0.5, ap3: 0.25})),
    undefined: [],
  }),
});
const ODD = [
  'Tick & <tock>',
  '"Hund"',
  '犬 🐕',
  'a very long name of a class that nobody could print beside a bar at all',
];

describe('bars of each class', () => {
  test('are as long as the score', async () => {
    const metrics = [report('h1', [['Ant', 0.5], ['Bee', 1], ['Cat', null]]), report('h2', [['Bee', 0], ['Ant', 0.25], ['Cat', null]])]; // prettier-ignore
    const svg = parseSvg((await draw({inputs: {metrics}}))('classes.svg'));
    const bars = ofClass(svg, 'rect', 'bar').filter(({children}) => children.length > 0);
    expect(bars.map(({children}) => children[0]?.text)).toEqual([
      'Ant, h1: 0.500',
      'Ant, h2: 0.250',
      'Bee, h1: 1.000',
      'Bee, h2: 0.000',
    ]);
    const [half, quarter, one, none] = bars.map((bar) => number(bar, 'width'));
    expect([half, quarter, one, none]).toEqual([260, 130, 520, 1]);
    expect(texts(svg).filter((text) => text === 'not defined')).toHaveLength(1);
  });

  test('may be a choice, in the order of the scores', async () => {
    const metrics = [report('h1', [['Ant', 0.5], ['Bee', 0.7], ['Cat', null], ['Dog', 0.9]])]; // prettier-ignore
    const shown = async (params: Options['params']) =>
      ofClass(parseSvg((await draw({params: params ?? {}, inputs: {metrics}}))('classes.svg')), 'text', 'end').map(
        ({text}) => text,
      );
    expect(await shown({order: 'score'})).toEqual(['Dog', 'Bee', 'Ant', 'Cat']);
    expect(await shown({classes: ['Dog', 'Ant']})).toEqual(['Dog', 'Ant']);
    await expect(shown({classes: ['Doog']})).rejects.toThrow('there is no class `Doog`');
  });

  test('may be some, those that are named first', async () => {
    const labels = Array.from({length: 30}, (_, i) => `c${String(i).padStart(2, '0')}`);
    const metrics = [report('h1', labels.map((own) => [own, 0.5]))]; // prettier-ignore
    const shown = async (most: number, seed: number) => {
      const read = await draw({params: {classes: ['c17', 'c03'], most}, inputs: {metrics}, seed});
      return ofClass(parseSvg(read('classes.svg')), 'text', 'end').map(({text}) => text);
    };
    const chosen = await shown(6, 5);
    expect(chosen).toHaveLength(6);
    expect(chosen.slice(0, 2)).toEqual(['c17', 'c03']);
    expect(chosen.slice(2)).toEqual(chosen.slice(2).toSorted());
    expect(new Set(chosen).size).toBe(6);
    expect(await shown(6, 5)).toEqual(chosen);
    expect(await shown(6, 6)).not.toEqual(chosen);
    expect(await shown(1, 5)).toEqual(['c17', 'c03']);
    expect(await shown(99, 5)).toHaveLength(30);
  });

  test('of repeats are of their mean', async () => {
    const again = {content: report('h1', [['Ant', 0.7], ['Bee', null]]).content.replace('{', '{"repeat":2,')}; // prettier-ignore
    const metrics = [report('h1', [['Ant', 0.5], ['Bee', null]]), again]; // prettier-ignore
    const svg = parseSvg((await draw({inputs: {metrics}}))('classes.svg'));
    expect(texts(svg)).toEqual(expect.arrayContaining(['0.60', 'not defined']));
    expect(ofClass(svg, 'rect', 'bar').filter(({children}) => children.length > 0)).toHaveLength(1);
  });

  test('of 41 classes and ten variants do not touch, and names stay inside', async () => {
    const labels = Array.from({length: 41}, (_, i) => ODD[i] ?? `Violin_or_fiddle_${i}`);
    const metrics = Array.from({length: 10}, (_, k) => report(`level-${k}`, labels.map((own) => [own, 0.5]))); // prettier-ignore
    const svg = parseSvg((await draw({inputs: {metrics}}))('classes.svg'));
    const names = ofClass(svg, 'text', 'end');
    expect(names).toHaveLength(41);
    for (const [i, name] of names.entries()) {
      expect(number(name, 'x') - textWidth(name.text)).toBeGreaterThanOrEqual(0);
      if (i > 0) expect(number(name, 'y') - number(names[i - 1], 'y')).toBeGreaterThanOrEqual(14);
    }
    const bars = ofClass(svg, 'rect', 'bar').filter(({children}) => children.length > 0);
    for (const [i, bar] of bars.entries()) {
      if (i > 0)
        expect(number(bar, 'y')).toBeGreaterThanOrEqual(number(bars[i - 1], 'y') + number(bars[i - 1], 'height'));
    }
    expect(Math.max(...bars.map((bar) => number(bar, 'y')))).toBeLessThan(number(svg, 'height'));
    expect(elementsOf(svg, 'title').map(({text}) => text)).toEqual(
      expect.arrayContaining([ODD[3], `${ODD[0]}, level-3: 0.500`]),
    );
  });

  test('of no class and of one are a picture', async () => {
    expect(texts(parseSvg((await draw({inputs: {metrics: [report('x', [])]}}))('classes.svg')))).toContain(
      'no classes',
    );
    const one = parseSvg((await draw({inputs: {metrics: [report('x', [['Ant', 1]])]}}))('classes.svg'));
    expect(texts(one)).toEqual(expect.arrayContaining(['Ant', '1.00']));
  });

  test('of other classes, or outside 0 ... 1, are refused', async () => {
    const run = (...metrics: readonly {content: string}[]) => draw({inputs: {metrics}});
    await expect(run(report('a', [['x', 1]]), report('b', [['y', 1]]))).rejects.toThrow(
      'variant `b` has other classes than `a`',
    );
    await expect(run(report('a', [['x', 1.5]]))).rejects.toThrow('ap of class `x` is 1.5 for variant `a`');
    const text = {content: report('a', [['x', 1]]).content.replace('"ap":1', '"ap":"NaN"')};
    await expect(run(text)).rejects.toThrow('ap of class `x` is NaN');
  });
});

describe('scores by a setting', () => {
  const at = (variant: string, map3: number | null) => ({
    content: report(variant, [['Ant', 0.5]]).content.replace('"map3":0', `"map3":${map3}`),
  });
  const params = {setting: 'mixup alpha', settings: [0.2, 0], reference: 'table-13' as const};

  test('are a line of ours and one of the published figures, with their points', async () => {
    const svg = parseSvg((await draw({params, inputs: {metrics: [at('F', 0.5), at('D', 0.25)]}}))('settings.svg'));
    expect(texts(svg)).toEqual(
      expect.arrayContaining(['MAP@3 by mixup alpha', 'MAP@3', 'ours', 'published', 'mixup alpha']),
    );
    const dots = elementsOf(svg, 'circle');
    expect(dots.map(({attributes}) => attributes['class'])).toEqual(['dot s0', 'dot s0', 'dot s1', 'dot s1']);
    // From left to right by the setting, not in the order of the reports; a higher score lies higher.
    expect(number(dots[0], 'cx')).toBeLessThan(number(dots[1], 'cx'));
    expect(number(dots[0], 'cy')).toBeGreaterThan(number(dots[1], 'cy'));
    expect(number(dots[3], 'cx')).toBe(number(dots[1], 'cx'));
    expect(number(dots[3], 'cy')).toBeLessThan(number(dots[1], 'cy'));
  });

  test('without published figures are one line; where one is missing, it is broken', async () => {
    const metrics = [at('x', 0.5), at('y', null), at('z', 0.25)];
    const svg = parseSvg((await draw({params: {...params, settings: [1, 2, 3]}, inputs: {metrics}}))('settings.svg'));
    expect(elementsOf(svg, 'circle')).toHaveLength(2);
    expect(ofClass(svg, 'path', 'line')).toEqual([]);
  });

  test.each([
    [[0.2], 'there are 2 variants and 1 settings for them'],
    [[0.2, 0.2], 'two variants have the mixup alpha 0.2'],
  ])('%j are refused', async (settings, message) => {
    const metrics = [at('F', 0.5), at('D', 0.25)];
    await expect(draw({params: {...params, settings}, inputs: {metrics}})).rejects.toThrow(message);
  });
});

const folds = {
  content: [
    'key,label,class,verified,split,fold,group,parent',
    'a,Ant & <co>,0,1,test,0,,',
    'b,Ant & <co>,0,1,test,0,,',
    'c,Bee,1,1,test,0,,',
    'd,Bee,1,1,train,1,,',
    '',
  ].join('\n'),
};
const array = (rows: readonly (readonly number[])[]) => ({
  content: encodeNpy({shape: [rows.length, rows[0]?.length ?? 0], data: Float32Array.from(rows.flat())}),
});
const SCORES = [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]; // prettier-ignore

describe('the confusion matrix', () => {
  test('counts clips by true and predicted class, and lists the mistakes', async () => {
    const read = await draw({inputs: {predictions: [array(SCORES)], folds}});
    const svg = parseSvg(read('confusion.svg'));
    const cells = ofClass(svg, 'rect', 'cell').slice(0, 3);
    expect(cells.map(({attributes}) => Number(attributes['fill-opacity']))).toEqual([0.55, 0.55, 1]);
    // Equal scores: the first class. It lies in the row of the true class and the column of the predicted one.
    expect(number(cells[2], 'x')).toBe(number(cells[0], 'x'));
    expect(number(cells[2], 'y')).toBeGreaterThan(number(cells[0], 'y'));
    expect(elementsOf(svg, 'title').map(({text}) => text)).toContain('Bee taken for Ant & <co>: 1 of 1');
    expect(elementsOf(svg, 'desc')[0]?.text).toContain('1 of 3 clips');
    expect(read('mistakes.csv')).toBe('label,predicted,clips,clipsOfLabel\nAnt & <co>,Bee,1,2\nBee,Ant & <co>,1,1\n');
  });

  test('is of validation clips where there are indexes', async () => {
    const index = {
      content: JSON.stringify({type: 'predictions/1', classes: ['Ant & <co>', 'Bee'], validation: {clips: ['d']}}),
    };
    const read = await draw({inputs: {predictions: [array([[0, 1]])], indexes: [index], folds}});
    expect(elementsOf(parseSvg(read('confusion.svg')), 'desc')[0]?.text).toContain('1 of 1 clips');
    expect(read('mistakes.csv')).toBe('label,predicted,clips,clipsOfLabel\n');
  });

  test.each([
    [
      'NaN',
      [
        array([
          [Number.NaN, 0],
          [0, 0],
          [0, 0],
        ]),
      ],
      'not a finite number',
    ],
    [
      'the other shape',
      [
        array([
          [1, 2, 3],
          [1, 2, 3],
        ]),
      ],
      'shape [2, 3]; the folds table has 3 test clips of 2 classes',
    ],
    ['several without indexes', [array(SCORES), array(SCORES)], 'there are 2 arrays of predictions'],
  ])('%s is refused', async (_, predictions, message) => {
    // prettier-ignore
    await expect(draw({inputs: {predictions, folds}})).rejects.toThrow(message);
  });

  test('needs the true classes', async () => {
    await expect(draw({inputs: {predictions: [array(SCORES)]}})).rejects.toThrow('the true classes are not known');
  });
});

describe('the stage', () => {
  test('draws what it has data for, the same bytes each time', async () => {
    const inputs = {curves: [{content: CURVE}], metrics: [report('ä', ODD.map((own) => [own, 1 / 3]))], predictions: [array(SCORES)], folds}; // prettier-ignore
    const [first, second] = [await draw({inputs}), await draw({inputs})];
    for (const name of ['curves.svg', 'classes.svg', 'confusion.svg', 'mistakes.csv'])
      expect(second(name)).toBe(first(name));
    expect(first('classes.svg')).not.toMatch(/\d\.\d{3,}"/);
    const {outputs} = await runStage(figures, {inputs: {curves: [{content: CURVE}]}});
    expect(existsSync(join(outputs.figures, 'classes.svg'))).toBe(false);
  });

  test('has something to draw', async () => {
    await expect(draw({})).rejects.toThrow('there is nothing to draw');
  });
});
