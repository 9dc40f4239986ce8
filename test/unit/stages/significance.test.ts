import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {readCsv} from '../../../stages/lib/formats/csv.ts';
import significance from '../../../stages/significance.ts';
import {runStage} from '../../support/stage-harness.ts';

interface ClassRow {
  readonly label: string;
  readonly clips: number;
  readonly ap: number | null;
  readonly auc: number | null;
  readonly ap3: number | null;
}

const report = (variant: string, values: readonly (number | null)[], change: object = {}) => ({
  content: JSON.stringify({
    type: 'metrics/1',
    variant,
    clips: 100,
    classes: values.length,
    perClass: values.map((ap, i): ClassRow => ({label: `c${i}`, clips: i, ap, auc: 0.5, ap3: ap})),
    ...change,
  }),
});
const p = (row: Readonly<Record<string, string>> | undefined, column: string): number => Number(row?.[column]);

describe('significance', () => {
  // The golden case `five pairs`: SciPy's t-test gives 0.06951, all signs of ranks 2 / 32 and 4 / 32.
  const base = [0.2, 0.3, 0.5, 0.1, 0.4];
  const better = [0.3, 0.5, 0.45, 0.4, 0.55];

  test('tests all pairs, and writes them as csv', async () => {
    const {outputs, logs} = await runStage(significance, {
      params: {resamples: 2000},
      inputs: {metrics: [report('better', better), report('base', base), report('twin', base)]},
    });
    const rows = readCsv(outputs.pairs, ['a', 'b']);
    expect(rows.map(({a, b}) => `${a} ${b}`)).toEqual(['better base', 'better twin', 'base twin']);
    const [first, , last] = rows;
    const golden = (
      JSON.parse(readFileSync(new URL('../../golden/statistics/paired.json', import.meta.url), 'utf8')) as {
        readonly cases: readonly {readonly name: string; readonly t: number; readonly twoSided: number}[];
      }
    ).cases.find(({name}) => name === 'five pairs');
    expect(p(first, 't')).toBeCloseTo(golden?.t ?? 0, 10);
    expect(p(first, 'pTwoSided')).toBeCloseTo(golden?.twoSided ?? 0, 10);
    expect(p(first, 'pOneSided')).toBeCloseTo((golden?.twoSided ?? 0) / 2, 10);
    // Two pairs of three are defined.
    expect(p(first, 'holmTwoSided')).toBeCloseTo(2 * (golden?.twoSided ?? 0), 10);
    expect(p(first, 'wilcoxonTwoSided')).toBe(4 / 32);
    expect(p(first, 'signFlip')).toBe(4 / 32);
    expect(p(first, 'difference')).toBeCloseTo(0.14, 12);
    expect(p(first, 'low')).toBeGreaterThan(0);
    expect(p(first, 'low')).toBeLessThan(0.14);
    expect(p(first, 'high')).toBeGreaterThan(0.14);
    expect(last).toMatchObject({difference: '0', t: '', pTwoSided: '', wilcoxonTwoSided: '', signFlip: '', low: '0'});
    expect(readCsv(outputs.variants, ['variant', 'mean']).map(({variant, mean}) => [variant, Number(mean)])).toEqual([
      ['better', expect.closeTo(0.44, 12)],
      ['base', expect.closeTo(0.3, 12)],
      ['twin', expect.closeTo(0.3, 12)],
    ]);
    expect(logs).toEqual([]);
  });

  test('prints the p-values of all pairs, marked', async () => {
    const first = Array.from({length: 40}, (_, i) => 0.3 + ((i * 7) % 11) / 50);
    // t = 1.87 and 1.75 with 39 degrees of freedom: below 0.05 each, but not as two of nine.
    const second = first.map((value, i) => value + 0.0015 + (i % 2 === 0 ? 0.005 : -0.005));
    const third = first.map((value, i) => value + 0.0014 + (i % 4 < 2 ? 0.005 : -0.005));
    const far = first.map((value, i) => value + 0.1 + 0.004 * ((i % 3) - 1));
    const metrics = [
      ['a|b', first],
      ['second', second],
      ['third', third],
      ['far', far],
      ['same', far],
    ].map(([name, values]) => report(name as string, values as readonly number[]));
    const {outputs} = await runStage(significance, {
      params: {title: 'Table 14', score: 'ap3', sides: 1, resamples: 500},
      inputs: {metrics},
    });
    const cells = readFileSync(outputs.markdown, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('|') && !line.startsWith('| -'))
      .map((line) =>
        line
          .slice(2, -2)
          .split(' | ')
          .map((cell) => cell.trim()),
      );
    expect(cells.slice(0, 5)).toEqual([
      ['', 'second', 'third', 'far', 'same'],
      ['a\\|b', '0.034*', '0.044*', '<0.001**', '<0.001**'],
      ['second', '', '0.465', '<0.001**', '<0.001**'],
      ['third', '', '', '<0.001**', '<0.001**'],
      ['far', '', '', '', '-'],
    ]);
    const text = readFileSync(outputs.markdown, 'utf8');
    expect(text).toContain('# Table 14');
    expect(text).toContain(
      'AP@3 of the classes, one-sided, P(T > \\|t\\|). One star: below 0.05; two: also when the 10 pairs',
    );
    expect(text).toContain('-: not defined');
    expect(text).toContain('Bootstrap intervals of 95 % over the classes.');
    expect(readFileSync(outputs.latex, 'utf8')).toContain('\\toprule');
  });

  test('gives the same bytes for the same seed, and classes without a score are left out', async () => {
    const inputs = {metrics: [report('x', [...better, null]), report('y', [...base, null])]};
    const [first, again, other] = [
      await runStage(significance, {inputs, seed: 3, params: {resamples: 300}}),
      await runStage(significance, {inputs, seed: 3, params: {resamples: 300}}),
      await runStage(significance, {inputs, seed: 4, params: {resamples: 300}}),
    ];
    expect(readFileSync(again.outputs.pairs, 'utf8')).toBe(readFileSync(first.outputs.pairs, 'utf8'));
    expect(readFileSync(other.outputs.pairs, 'utf8')).not.toBe(readFileSync(first.outputs.pairs, 'utf8'));
    expect(readCsv(first.outputs.pairs, ['classes'])[0]?.['classes']).toBe('5');
    expect(first.logs).toEqual(['classes left out, as their ap is not defined: 1']);
  });

  test('pairs repeats of a variant by the mean of each class', async () => {
    const half = (by: number) => base.map((value) => value + by);
    const metrics = [report('x', half(0.5), {repeat: 2}), report('y', better), report('x', half(-0.5), {repeat: 1})];
    const {outputs} = await runStage(significance, {inputs: {metrics}, params: {resamples: 100}});
    const plain = await runStage(significance, {
      inputs: {metrics: [report('x', base), report('y', better)]},
      params: {resamples: 100},
    });
    const [row] = readCsv(outputs.pairs, ['a']);
    const [expected] = readCsv(plain.outputs.pairs, ['a']);
    expect(row).toMatchObject({a: 'x', b: 'y', classes: '5', score: 'ap'});
    expect(p(row, 'pTwoSided')).toBeCloseTo(p(expected, 'pTwoSided'), 12);
  });

  test.each([
    ['one report', [report('x', base)], 'there is nothing to compare'],
    ['one name twice', [report('x', base), report('x', better)], 'two reports are of variant `x`'],
    ['one variant', [report('x', base), report('x', better, {repeat: 2})], 'there is nothing to compare'],
    ['other classes', [report('x', base), report('y', base.slice(1))], '`y` was scored on 100 clips of 4 classes'],
    ['other clips', [report('x', base), report('y', base, {clips: 99})], '`y` was scored on 99 clips of 5 classes'],
    ['no score', [report('x', [null]), report('y', [null])], '`x` has no class whose ap is defined'],
    ['another file', [{content: '{}'}, report('y', base)], 'report 1 is not a metrics/1 report'],
  ])('refuses %s', async (_what, metrics, message) => {
    await expect(runStage(significance, {inputs: {metrics}})).rejects.toThrow(message);
  });
});
