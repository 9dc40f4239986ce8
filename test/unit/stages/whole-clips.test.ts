import {expect, test} from 'vitest';
import balance from '../../../stages/balance.ts';
import {encodeNpy, readFloat32} from '../../../stages/lib/formats/npy.ts';
import {readModel} from '../../../stages/lib/models/model-file.ts';
import {createRng} from '../../../stages/lib/rng.ts';
import mixup from '../../../stages/mixup.ts';
import segments from '../../../stages/segments.ts';
import train from '../../../stages/train.ts';
import {runStage} from '../../support/stage-harness.ts';

const LABELS = ['Bell', 'Cow'];

/** Clips of one to four vectors whose first value tells their class; two folds and a test. */
function makeClips() {
  const rng = createRng(3);
  const lines = ['key,label,class,verified,split,fold,group,parent'];
  const files: Record<string, Uint8Array> = {};
  for (let clip = 0; clip < 30; clip++) {
    const key = `clip${String(clip).padStart(2, '0')}`;
    const label = clip % 2;
    const place = clip % 3;
    lines.push(`${key},${LABELS[label]},${label},1,${place === 0 ? 'test' : 'train'},${place},,`);
    const count = 1 + rng.integer(4);
    const data = Uint8Array.from(
      {length: count * 3},
      (_, i) => (i % 3 === 0 && label === 1 ? 180 : 100) + rng.integer(60),
    );
    files[`${key}.npy`] = encodeNpy({shape: [count, 3], data});
  }
  return {features: {files}, folds: {content: `${lines.join('\n')}\n`}};
}

async function trainOn(length: number, model: 'lstm' | 'attention' | 'dnn', view: 'vectors' | 'mean') {
  const {outputs: cut, metrics} = await runStage(segments, {params: {length, pieces: 'whole'}, inputs: makeClips()});
  expect(metrics).toMatchObject({rows: 30, clips: 30});
  const {outputs: drawn} = await runStage(balance, {params: {fold: 1}, inputs: {rows: cut.rows}, seed: 2});
  const {outputs: mixed} = await runStage(mixup, {
    params: {fold: 1, alpha: 0.4},
    inputs: {rows: cut.rows, order: drawn.order},
    seed: 2,
  });
  return runStage(train, {
    params: {fold: 1, model, view, mask: true, units: 8, dropout: 0, epochs: 15, batchSize: 10, learningRate: 0.01},
    inputs: {features: cut.features, rows: cut.rows, order: drawn.order, mixed: mixed.mixed},
    seed: 2,
  });
}

test.each([
  ['lstm', 'vectors'],
  ['attention', 'vectors'],
  ['dnn', 'mean'],
] as const)('%s of %s learns whole clips, however far they are padded', {timeout: 60_000}, async (model, view) => {
  const [short, long] = [await trainOn(4, model, view), await trainOn(9, model, view)];
  expect(short.metrics['validationMap3']).toBeGreaterThan(0.8);
  const {graph} = readModel(short.outputs.model);
  expect(graph.layers[0]).toMatchObject({op: 'mask', inputs: ['features']});
  const scores = [short, long].map(({outputs}) => readFloat32(outputs.predictions, 2).data);
  const differences = scores[0]?.map((value, i) => Math.abs(value - (scores[1]?.[i] ?? NaN))) ?? [];
  expect(Math.max(...differences)).toBeLessThan(0.01);
});
