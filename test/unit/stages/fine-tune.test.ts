import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {writeFolds, type Clip} from '../../../stages/lib/experiment/dataset.ts';
import {readCsvTable} from '../../../stages/lib/formats/csv.ts';
import {encodeNpy, readFloat32} from '../../../stages/lib/formats/npy.ts';
import {readSafeTensors, writeSafeTensors} from '../../../stages/lib/formats/safetensors.ts';
import {initialWeights} from '../../../stages/lib/models/initial-weights.ts';
import {readModel} from '../../../stages/lib/models/model-file.ts';
import {vggishGraph} from '../../../stages/lib/models/vggish.ts';
import {createRng} from '../../../stages/lib/rng.ts';
import fineTune from '../../../stages/fine-tune.ts';
import vggish from '../../../stages/vggish.ts';
import {runStage, temporaryFolder, type HarnessOptions, type HarnessResult} from '../../support/stage-harness.ts';
import {stopAfter} from '../../support/stop-after.ts';

const labels = ['high', 'low', 'noise'];

/** Patches with most energy in the upper bands, in the lower ones, or anywhere. */
function patchesOf(classIndex: number, count: number, seed: number): Uint8Array {
  const rng = createRng(seed);
  const data = Float32Array.from({length: count * 96 * 64}, (_, i) => {
    const upper = i % 64 >= 32;
    const loud = classIndex === 2 ? rng.uniform() < 0.5 : upper === (classIndex === 0);
    return (loud ? 1 : -4) + 0.5 * rng.normal();
  });
  return encodeNpy({shape: [count, 96, 64], data});
}

const clips = Array.from({length: 24}, (_, i): Clip => {
  const classIndex = i % 3;
  const split = i >= 21 ? 'test' : 'train';
  const fold = split === 'test' ? 0 : 1 + (i % 2);
  const label = labels[classIndex] ?? '';
  return {key: `c${String(i).padStart(2, '0')}`, label, classIndex, verified: true, split, fold, group: '', parent: ''};
});
const folder = temporaryFolder();
const folds = join(folder, 'folds.csv');
const weights = join(folder, 'weights.safetensors');
writeFolds(folds, clips);
writeSafeTensors(weights, initialWeights(vggishGraph({width: 1 / 32}), 4, {initialiser: 'he'}));
const files = Object.fromEntries(
  clips.map(({key, classIndex}, i) => [`${key}.npy`, patchesOf(classIndex, 1 + (i % 3), i)]),
);

type Options = HarnessOptions<
  Parameters<typeof fineTune.run>[0]['params'],
  Parameters<typeof fineTune.run>[0]['inputs']
>;
type Tuned = HarnessResult<Parameters<typeof fineTune.run>[0]['outputs']>;

function tune(params: Options['params'] = {}, rest: Options = {}): Promise<Tuned> {
  return runStage(fineTune, {
    params: {validationFraction: 0.3, learningRate: 0.001, hidden: 12, epochs: 6, microBatch: 5, ...params},
    inputs: {patches: [{files}], folds, weights},
    seed: 11,
    ...rest,
  });
}

const bytesOf = ({outputs}: Tuned): readonly Buffer[] =>
  [outputs.model, outputs.curve].map((path) => readFileSync(path));
const curveOf = ({outputs}: Tuned): readonly Record<string, string>[] =>
  readCsvTable(outputs.curve, ['epoch', 'trainLoss', 'validationLoss', 'validationAccuracy']).rows.map(
    ({record}) => record as Record<string, string>,
  );

describe('fine-tune', () => {
  test('learns, and keeps the epoch of the lowest validation loss', async () => {
    const tuned = await tune({epochs: 12});
    const curve = curveOf(tuned);
    const losses = curve.map((line) => Number(line['validationLoss']));
    expect(Math.min(...losses)).toBeLessThan((losses[0] ?? 0) / 2);
    expect(tuned.metrics).toMatchObject({
      epochs: curve.length,
      bestEpoch: 1 + losses.indexOf(Math.min(...losses)),
      validationLoss: Math.min(...losses),
      validationAccuracy: 1,
    });
    const {graph, classes, about} = readModel(tuned.outputs.model);
    expect(classes).toEqual(labels);
    expect(graph.outputs).toEqual(['head/softmax']);
    expect(about).toMatchObject({strategy: 'balanced', validation: 'last', train: 'all', fold: '0'});
    const before = readSafeTensors(weights).tensors;
    const after = readSafeTensors(tuned.outputs.model).tensors;
    expect(after.get('vggish/conv1/weights')).not.toEqual(before.get('vggish/conv1/weights'));
  });

  test('stops early when there is nothing to learn but the training clips', async () => {
    const noise = Object.fromEntries(clips.map(({key}, i) => [`${key}.npy`, patchesOf(2, 2, 100 + i)]));
    const inputs = {patches: [{files: noise}], folds, weights};
    const tuned = await tune({learningRate: 0.005, epochs: 40, patience: 2}, {inputs});
    const losses = curveOf(tuned).map((line) => Number(line['validationLoss']));
    expect(losses.length).toBeLessThan(40);
    expect(tuned.metrics['bestEpoch']).toBe(losses.length - 2);
    expect(tuned.metrics['validationLoss']).toBe(Math.min(...losses));
  });

  test('gives weights to stage vggish', async () => {
    const tuned = await tune({epochs: 1});
    const {outputs} = await runStage(vggish, {
      inputs: {patches: {content: patchesOf(0, 2, 1)}, weights: tuned.outputs.model},
    });
    expect(readFloat32(outputs.embeddings, 2, 'the embeddings').shape).toEqual([2, 128]);
  });

  test('starts from a model of its own, with a new head', async () => {
    const first = await tune({epochs: 1});
    const again = await tune({epochs: 1}, {inputs: {patches: [{files}], folds, weights: first.outputs.model}});
    expect(readModel(again.outputs.model).classes).toEqual(labels);
  });

  test('gives the same bytes again, and others for another seed', async () => {
    const one = await tune({epochs: 2});
    expect(bytesOf(await tune({epochs: 2}))).toEqual(bytesOf(one));
    expect(bytesOf(await tune({epochs: 2}, {seed: 12}))).not.toEqual(bytesOf(one));
  });

  test('the four strategies differ', async () => {
    const models = new Set<string>();
    for (const strategy of ['balanced', 'unbalanced'] as const) {
      for (const validation of ['first', 'last'] as const) {
        const tuned = await tune({strategy, validation, epochs: 1});
        models.add(readFileSync(tuned.outputs.model).toString('base64'));
      }
    }
    expect(models.size).toBe(4);
  });

  test('a batch in parts makes nearly the same step as in one', async () => {
    const [whole, parts] = [await tune({epochs: 1, microBatch: 500}), await tune({epochs: 1, microBatch: 2})];
    expect(Number(curveOf(parts)[0]?.['trainLoss'])).toBeCloseTo(Number(curveOf(whole)[0]?.['trainLoss']), 4);
  });

  describe.each(['dense', 'head'] as const)('with %s trained', (train) => {
    test('the rest stays, and what it gives may be computed once', async () => {
      const [once, each] = [await tune({train, epochs: 3}), await tune({train, epochs: 3, featureMiB: 0})];
      const before = readSafeTensors(weights).tensors;
      for (const tuned of [once, each]) {
        const after = readSafeTensors(tuned.outputs.model).tensors;
        const frozen = train === 'dense' ? 'vggish/conv4/conv4_2/weights' : 'vggish/fc2/weights';
        const moved = train === 'dense' ? 'vggish/fc2/weights' : 'head/hidden/weights';
        expect(after.get(frozen)).toEqual(before.get(frozen));
        expect(after.get(moved)).not.toEqual(before.get(moved));
      }
      const [a, b] = [once, each].map((tuned) => curveOf(tuned).map((line) => Number(line['validationLoss'])));
      for (const [i, loss] of (a ?? []).entries()) expect(loss).toBeCloseTo(b?.[i] ?? 0, 4);
    });
  });

  test('leaves out the clips of a fold, whose patches need not be there', async () => {
    const without = Object.fromEntries(
      Object.entries(files).filter(([path]) => clips.some(({key, fold}) => path === `${key}.npy` && fold === 1)),
    );
    const inputs = {patches: [{files: without}], folds, weights};
    expect((await tune({epochs: 1, fold: 2}, {inputs})).metrics['epochs']).toBe(1);
    await expect(tune({epochs: 1, fold: 1}, {inputs})).rejects.toThrow('no entry for clip `c01` of the folds table');
  });
});

describe('fine-tune, stopped', () => {
  /** Runs until it is told to stop, which is after so many batches. */
  async function stop(params: Options['params'], checkpoint: string, after: number): Promise<void> {
    const signal = stopAfter(after);
    await expect(tune(params, {checkpoint, signal})).rejects.toThrow('stop');
  }

  test.each(['all', 'head'] as const)('goes on with the same bytes, training %s', async (train) => {
    const params = {train, checkpointEvery: 2, epochs: 3} as const;
    const whole = await tune(params);
    const checkpoint = temporaryFolder();
    for (const after of [1, 3, 2]) await stop(params, checkpoint, after);
    const resumed = await tune(params, {checkpoint});
    expect(bytesOf(resumed)).toEqual(bytesOf(whole));
    expect(resumed.logs.some((line) => line.startsWith('goes on after epoch'))).toBe(true);
    expect(resumed.progress.length).toBeLessThan(whole.progress.length);
  });

  test('has nothing more to train when the last epoch was done', async () => {
    const checkpoint = temporaryFolder();
    const whole = await tune({epochs: 2}, {checkpoint});
    const again = await tune({epochs: 2}, {checkpoint});
    expect(again.progress).toEqual([]);
    expect(bytesOf(again)).toEqual(bytesOf(whole));
  });

  test('starts anew from a checkpoint of another training, or a damaged one', async () => {
    const checkpoint = temporaryFolder();
    const whole = await tune({epochs: 2});
    await tune({epochs: 2, learningRate: 0.01}, {checkpoint});
    const other = await tune({epochs: 2}, {checkpoint});
    expect(bytesOf(other)).toEqual(bytesOf(whole));
    expect(other.logs).toContain('the checkpoint is of no use, training starts anew: it is of another training');
    writeFileSync(join(checkpoint, 'snapshot.safetensors'), 'x');
    expect(bytesOf(await tune({epochs: 2}, {checkpoint}))).toEqual(bytesOf(whole));
  });
});
