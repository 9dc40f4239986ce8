import {readFileSync} from 'node:fs';
import {expect, describe, test} from 'vitest';
import {encodeNpy, readNpy} from '../../../stages/lib/formats/npy.ts';
import stage from '../../../stages/minibatches.ts';
import {runStage, type HarnessResult, type PortInput} from '../../support/stage-harness.ts';

const order = {content: 'row,class\n4,0\n4,0\n7,1\n9,1\n8,1\n2,2\n'};

async function batchesOf(result: Promise<HarnessResult<{batches: string; state: string}>>) {
  const {shape, data} = readNpy((await result).outputs.batches);
  return {shape, data: [...data]};
}

/** Targets of four rows and ten classes: row r has the classes of the list r. */
function targets(rows: readonly (readonly number[])[]): PortInput {
  const data = new Uint8Array(rows.length * 2);
  for (const [row, classes] of rows.entries()) for (const c of classes) data[row * 2 + (c >> 3)]! |= 128 >> (c & 7);
  return {content: encodeNpy({shape: [rows.length, 2], data})};
}

describe('minibatches', () => {
  test('draws every class of a table equally often', async () => {
    const run = runStage(stage, {params: {batchSize: 4, batches: 6}, inputs: {examples: order}});
    const {shape, data} = await batchesOf(run);
    expect(shape).toEqual([6, 4]);
    expect(data.filter((row) => row === 4)).toHaveLength(8);
    expect(data.filter((row) => row === 2)).toHaveLength(8);
    expect([7, 8, 9].map((row) => data.filter((value) => value === row).length).toSorted((a, b) => a - b)).toEqual([
      2, 3, 3,
    ]);
    const {metrics, outputs} = await run;
    expect(metrics).toEqual({drawn: 24, carried: 0});
    expect(JSON.parse(readFileSync(outputs.state, 'utf8'))).toEqual({
      type: 'sampler/1',
      order: 'balanced',
      seed: 1,
      drawn: 24,
      examples: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  test('draws every line of a table once a pass', async () => {
    const params = {batchSize: 4, batches: 3, balanced: false};
    const {data} = await batchesOf(runStage(stage, {params, inputs: {examples: order}}));
    expect(data.toSorted((a, b) => a - b)).toEqual([2, 2, 4, 4, 4, 4, 7, 7, 8, 8, 9, 9]);
  });

  test('goes on from a state, whatever its own seed', async () => {
    for (const balanced of [true, false]) {
      const run = (batches: number, seed: number, state?: PortInput) =>
        runStage(stage, {
          params: {batchSize: 5, batches, balanced},
          inputs: {examples: order, ...(state && {state})},
          seed,
        });
      const whole = await batchesOf(run(7, 3));
      const first = await run(3, 3);
      const second = await run(4, 99, first.outputs.state);
      const parts = [...readNpy(first.outputs.batches).data, ...readNpy(second.outputs.batches).data];
      expect(parts).toEqual(whole.data);
      expect(second.metrics['drawn']).toBe(35);
    }
  });

  test('reads packed targets; a clip is drawn for each of its classes', async () => {
    const given = targets([[0, 9], [1, 2, 3, 4, 5, 6, 7, 8], [9], []]);
    const {data} = await batchesOf(
      runStage(stage, {params: {batchSize: 10, batches: 4, classes: 10}, inputs: {targets: given}}),
    );
    expect([0, 1, 2, 3].map((row) => data.filter((value) => value === row).length)).toEqual([6, 32, 2, 0]);
    const plain = await batchesOf(
      runStage(stage, {params: {batchSize: 4, batches: 1, balanced: false}, inputs: {targets: given}}),
    );
    expect(plain.data.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  test('refuses a class without examples, or leaves it out', async () => {
    const inputs = {targets: targets([[0], [2]])};
    await expect(runStage(stage, {params: {batches: 1, classes: 4}, inputs})).rejects.toThrow(
      '2 of 4 classes have no examples: 1, 3',
    );
    const params = {batchSize: 2, batches: 2, classes: 4, onEmptyClass: 'skip'} as const;
    const run = runStage(stage, {params, inputs});
    expect((await batchesOf(run)).data.toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1]);
    expect((await run).logs).toEqual(['2 of 4 classes have no examples: 1, 3; they are left out of the cycles']);
  });

  describe('of a table with folds', () => {
    const rows = {
      content:
        'row,key,piece,class,split,fold,parent\n' +
        '0,a,0,0,train,1,\n1,b,0,1,train,1,\n2,c,0,0,train,2,\n3,d,0,1,train,2,\n4,e,0,0,test,0,\n5,f,0,1,test,0,\n',
    };
    const run = (params: {fold?: number; balanced?: boolean}) =>
      runStage(stage, {params: {batchSize: 20, batches: 5, ...params}, inputs: {examples: rows}});

    test.each([true, false])('never draws a test clip or the fold left out (balanced: %s)', async (balanced) => {
      const drawn = async (fold: number) => new Set((await batchesOf(run({fold, balanced}))).data);
      expect(await drawn(1)).toEqual(new Set([2, 3]));
      expect(await drawn(2)).toEqual(new Set([0, 1]));
      expect(await drawn(0)).toEqual(new Set([0, 1, 2, 3]));
    });

    test('wants to be told the fold', async () => {
      await expect(run({})).rejects.toThrow('which of them to train on is not said');
      await expect(run({fold: 3})).rejects.toThrow('the examples table has no clips of fold 3');
    });
  });

  const one = {content: 'row,class\n0,0\n'};
  test.each<[string, Record<string, PortInput>, Record<string, number>, string]>([
    ['no examples', {}, {}, 'one of the inputs `examples` and `targets` is needed, and not both'],
    ['two kinds of examples', {examples: one, targets: targets([[0]])}, {}, 'and not both'],
    ['a fold without folds', {examples: one}, {fold: 1}, 'the examples table has no columns split and fold'],
    ['a fold of targets', {targets: targets([[0]])}, {fold: 0}, 'a fold is given, and targets have none'],
    ['an empty table', {examples: {content: 'row,class\n'}}, {}, 'there are no examples to sample'],
    ['a bad row', {examples: {content: 'row,class\n-1,0\n'}}, {}, 'line 2: row is `-1`; a whole number is needed'],
    ['a bad split', {examples: {content: 'row,class,split,fold\n1,0,all,1\n'}}, {fold: 1}, 'line 2: split is `all`'],
    ['a class beyond', {targets: targets([[0], [9]])}, {classes: 9}, 'row 1 has class 9, and there are 9 classes'],
    [
      'targets of one axis',
      {targets: {content: encodeNpy({shape: [2], data: Uint8Array.of(1, 2)})}},
      {},
      'the targets array has shape (2); (rows, bytes) is needed',
    ],
    ['a state that is none', {examples: one, state: {content: '{}'}}, {}, 'the state is not one of a sampler'],
  ])('refuses %s', async (_, inputs, params, message) => {
    const run = runStage(stage, {params: {batches: 1, ...params}, inputs});
    await expect(run).rejects.toMatchObject({name: 'StageError'});
    await expect(run).rejects.toThrow(message);
  });
});
