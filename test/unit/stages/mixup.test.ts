import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import balance from '../../../stages/balance.ts';
import {readMixed} from '../../../stages/lib/experiment/mixed-table.ts';
import {readPieceRows} from '../../../stages/lib/experiment/piece-rows.ts';
import {readOrder} from '../../../stages/lib/experiment/training-rows.ts';
import mixup from '../../../stages/mixup.ts';
import {toyTrainingFiles} from '../../support/attention-data.ts';
import {runStage, temporaryFolder} from '../../support/stage-harness.ts';

const {rows} = toyTrainingFiles({classes: 3, clipsPerClass: 40, folds: 3, length: 1});
const {outputs: balanced} = await runStage(balance, {params: {fold: 2, perClass: 60}, inputs: {rows}});

async function mix(alpha: number, seed = 1): Promise<{path: string; metrics: Readonly<Record<string, number>>}> {
  const {outputs, metrics} = await runStage(mixup, {
    params: {fold: 2, alpha},
    inputs: {rows, order: balanced.order},
    seed,
  });
  return {path: outputs.mixed, metrics};
}

describe('mixup', () => {
  test('mixes as many examples as there are training rows, in pairs of these, and keeps every digit', async () => {
    const {path, metrics} = await mix(0.2);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines[0]).toBe('first,second,share');
    expect([lines.length, metrics]).toEqual([181, {examples: 180}]);
    const {outputs} = await runStage(mixup, {params: {fold: 2, alpha: 0.2}, inputs: {rows, order: balanced.order}});
    expect(readFileSync(outputs.mixed, 'utf8')).toBe(readFileSync(path, 'utf8'));
    const pieceRows = readPieceRows(pathOf(rows.content));
    const order = new Set(readOrder(balanced.order, pieceRows, 2));
    const examples = readMixed(path, pieceRows, 2);
    for (const [i, {first, second, share}] of examples.entries()) {
      expect(order.has(first) && order.has(second)).toBe(true);
      expect(lines[i + 1]).toBe(`${first},${second},${share}`);
    }
    // Uniform pairs of 180 rows: about 1 / 180 of them with themselves, and about 2 / 3 of two classes.
    const classOf = (row: number): number => pieceRows[row]?.classIndex ?? -1;
    expect(examples.filter(({first, second}) => first === second).length).toBeLessThan(8);
    const mixedClasses = examples.filter(({first, second}) => classOf(first) !== classOf(second)).length;
    expect(Math.abs(mixedClasses - 120)).toBeLessThan(25);
  });

  test('another alpha has the same pairs with other shares, another seed other pairs', async () => {
    const pairs = async (alpha: number, seed?: number): Promise<readonly string[]> =>
      readFileSync((await mix(alpha, seed)).path, 'utf8')
        .split('\n')
        .map((line) => line.split(',').slice(0, 2).join());
    expect(await pairs(1)).toEqual(await pairs(0.2));
    expect(await pairs(0.2, 2)).not.toEqual(await pairs(0.2));
  });

  test('mixes rows of any weight, and none that the order leaves out', async () => {
    const [header = '', ...lines] = rows.content.trimEnd().split('\n');
    const weighted = {
      content: [
        `${header},verified,weight`,
        ...lines.map((line, i) => `${line},${Math.floor(i / 12) % 2},${i % 5 === 0 ? 0 : 0.5}`),
        '',
      ].join('\n'),
    };
    const params = {fold: 2, labels: 'verified', perClass: 60} as const;
    const {outputs} = await runStage(balance, {params, inputs: {rows: weighted}});
    const mixed = await runStage(mixup, {params: {fold: 2}, inputs: {rows: weighted, order: outputs.order}});
    const pieceRows = readPieceRows(pathOf(weighted.content));
    const examples = readMixed(mixed.outputs.mixed, pieceRows, 2);
    expect(examples).toHaveLength(180);
    for (const row of examples.flatMap(({first, second}) => [first, second])) {
      expect(pieceRows[row]).toMatchObject({verified: true, weight: 0.5});
    }
  });

  test('alpha 0 gives a table without rows', async () => {
    const {path, metrics} = await mix(0);
    expect(readFileSync(path, 'utf8')).toBe('first,second,share\n');
    expect(metrics).toEqual({examples: 0});
  });
});

function pathOf(content: string): string {
  const path = join(temporaryFolder(), 'rows.csv');
  writeFileSync(path, content);
  return path;
}
