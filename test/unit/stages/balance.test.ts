import {describe, expect, test} from 'vitest';
import balance from '../../../stages/balance.ts';
import {readCsv} from '../../../stages/lib/formats/csv.ts';
import {runStage} from '../../support/stage-harness.ts';

describe('balance', () => {
  const header = 'row,key,piece,class,split,fold,parent,label\n';
  // Class 0: rows 0 to 4, class 1: rows 5 and 6, class 2: row 7; row 8 validates fold 1, row 9 is a test clip.
  const classes = [0, 0, 0, 0, 0, 1, 1, 2, 1, 2];
  const rows = {
    content:
      header +
      classes
        .map((own, i) => `${i},k${i},0,${own},${i === 9 ? 'test,0' : `train,${i === 8 ? 1 : 2}`},,c${own}\n`)
        .join(''),
  };
  const draw = async (params: {fold: number; perClass?: number; sampler?: 'plain'}, seed = 1) => {
    const {outputs} = await runStage(balance, {params, inputs: {rows}, seed});
    return readCsv(outputs.order, ['row', 'class']).map((record) => [Number(record['row']), Number(record['class'])]);
  };

  test('every class is drawn as often as the largest has rows, from training rows only', async () => {
    const order = await draw({fold: 1});
    expect(order).toHaveLength(15);
    for (const own of [0, 1, 2]) {
      const drawn = order.filter(([, classIndex]) => classIndex === own).map(([row]) => row);
      expect(drawn).toHaveLength(5);
      const rowsOfClass = classes.flatMap((value, row) => (value === own && row < 8 ? [row] : []));
      const counts = rowsOfClass.map((row) => drawn.filter((other) => other === row).length);
      expect(counts.reduce((a, b) => a + b)).toBe(5);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  test('perClass sets the number, fold 0 uses every train row', async () => {
    const order = await draw({fold: 0, perClass: 3});
    expect(order.map(([, own]) => own)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    expect(new Set(order.filter(([, own]) => own === 1).map(([row]) => row))).toEqual(new Set([5, 6, 8]));
  });

  test('plain sampling draws every training row once', async () => {
    const order = await draw({fold: 1, sampler: 'plain'});
    expect(order.map(([row = 0]) => row).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(order.map(([, own]) => own)).toEqual([0, 0, 0, 0, 0, 1, 1, 2]);
    await expect(draw({fold: 1, sampler: 'plain', perClass: 3})).rejects.toThrow('perClass does nothing');
  });

  test('the same seed draws the same, another draws otherwise', async () => {
    expect(await draw({fold: 1}, 3)).toEqual(await draw({fold: 1}, 3));
    expect(await draw({fold: 1}, 4)).not.toEqual(await draw({fold: 1}, 3));
  });

  test('a fold that leaves nothing to train on is refused', async () => {
    const one = {content: `${header}0,a,0,0,train,1,,Bell\n`};
    await expect(runStage(balance, {params: {fold: 1}, inputs: {rows: one}})).rejects.toThrow('no training rows');
  });

  test('copies count as rows of their class', async () => {
    const table = `${header}0,a,0,0,train,1,,A\n1,a/pitch+05,0,0,train,1,a,A\n2,b,0,1,train,1,,B\n`;
    const {outputs} = await runStage(balance, {params: {fold: 0}, inputs: {rows: {content: table}}});
    const order = readCsv(outputs.order, ['row']).map(({row}) => Number(row));
    expect(order.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 2]);
  });

  describe('of rows that are verified or weighted', () => {
    const full = 'row,key,piece,class,split,fold,parent,label,verified,weight\n';
    // Class 0: four rows, two of them verified, one of weight 0; class 1: one of each; class 2 only validates fold 1.
    const lines = ['2,,A,1,1', '2,,A,1,0', '2,,A,0,1', '2,,A,0,0.5', '2,,B,1,3', '2,,B,0,1', '1,,C,1,1'];
    const table = (own: readonly string[]) => ({
      content:
        full + own.map((line, i) => `${i},k${i},0,${'ABC'.indexOf(line.split(',')[2] ?? '')},train,${line}\n`).join(''),
    });
    const run = (own: readonly string[], labels: 'all' | 'verified' | 'verified-first') =>
      runStage(balance, {params: {fold: 1, labels}, inputs: {rows: table(own)}});
    const drawn = async (own: readonly string[], labels: 'all' | 'verified' | 'verified-first') => {
      const {outputs, metrics, logs} = await run(own, labels);
      const order = readCsv(outputs.order, ['row', 'class']).map(({row, class: c}) => [Number(row), Number(c)]);
      return {order: order.toSorted(([a = 0], [b = 0]) => a - b).map(([row]) => row), metrics, logs};
    };

    test('rows of weight 0 are left out, others drawn whatever they weigh', async () => {
      const {order, metrics, logs} = await drawn(lines, 'all');
      const counts = [0, 2, 3].map((row) => order.filter((other) => other === row).length);
      expect(counts).toEqual([1, 1, 1]);
      expect(order).not.toContain(1);
      expect(new Set(order)).toEqual(new Set([0, 2, 3, 4, 5]));
      expect(metrics).toEqual({rows: 6, leftOut: 1, classes: 2});
      expect(logs).toEqual(['labels without a training row: `C`']);
    });

    test('labels: verified draws the others only', async () => {
      const {order, metrics} = await drawn(lines, 'verified');
      expect(order).toEqual([0, 4]);
      expect(metrics).toEqual({rows: 2, leftOut: 4, classes: 2});
    });

    test('labels: verified-first draws all rows of a label that has no verified ones', async () => {
      expect((await drawn(lines, 'verified-first')).order).toEqual([0, 4]);
      const {order, metrics} = await drawn(
        [...lines.slice(0, 4), '2,,B,0,1', '2,,B,1,0', '2,,B,0,1'],
        'verified-first',
      );
      expect(order).toEqual([0, 0, 4, 6]);
      expect(metrics).toEqual({rows: 4, leftOut: 4, classes: 2});
    });

    test('a label that loses all its rows is named', async () => {
      const lost = [...lines.slice(0, 4), '2,,B,0,1', '2,,C,1,0'];
      await expect(run(lost, 'verified')).rejects.toThrow(
        'no training row is left of 2 labels: `B`, `C`; none of their rows is verified and has a weight above 0',
      );
      await expect(run(lost, 'verified-first')).rejects.toThrow('of 1 label: `C`; their rows have weight 0');
      await expect(run(lost, 'all')).rejects.toThrow(
        'no training row is left of 1 label: `C`; their rows have weight 0',
      );
    });
  });
});
