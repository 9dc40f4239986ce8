import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {encodeNpy, readFloat32} from '../../../stages/lib/formats/npy.ts';
import {readSafeTensors} from '../../../stages/lib/formats/safetensors.ts';
import {createRng} from '../../../stages/lib/rng.ts';
import vggish from '../../../stages/vggish.ts';
import vggishWeights from '../../../stages/vggish-weights.ts';
import {runStage} from '../../support/stage-harness.ts';

describe('vggish-weights', () => {
  test('the same seed gives the same bytes, another seed does not', async () => {
    const bytes = async (seed: number) =>
      readFileSync((await runStage(vggishWeights, {params: {width: 0.02}, seed})).outputs.weights);
    const first = await bytes(1);
    expect((await bytes(1)).equals(first)).toBe(true);
    expect((await bytes(2)).equals(first)).toBe(false);
  });

  test('the embeddings of random weights tell patches apart', async () => {
    const {outputs} = await runStage(vggishWeights, {params: {width: 0.05}, seed: 11});
    expect(readSafeTensors(outputs.weights).metadata).toMatchObject({model: 'vggish', width: '0.05'});
    const rng = createRng(4);
    const patches = encodeNpy({
      shape: [2, 96, 64],
      data: Float32Array.from({length: 2 * 96 * 64}, () => rng.normal() - 2),
    });
    const embedded = await runStage(vggish, {inputs: {patches: {content: patches}, weights: outputs.weights}});
    const {data} = readFloat32(embedded.outputs.embeddings);
    const [a, b] = [data.subarray(0, 128), data.subarray(128)];
    const size = Math.hypot(...a);
    expect(size).toBeGreaterThan(0.1);
    expect(Math.hypot(...a.map((value, i) => value - (b[i] ?? 0))) / size).toBeGreaterThan(0.01);
  });
});
