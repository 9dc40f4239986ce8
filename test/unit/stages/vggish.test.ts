import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {encodeNpy, readFloat32} from '../../../stages/lib/formats/npy.ts';
import {createRng} from '../../../stages/lib/rng.ts';
import {writeSafeTensors} from '../../../stages/lib/formats/safetensors.ts';
import type {NamedArray, Weights} from '../../../stages/lib/tensors/named-array.ts';
import {initialWeights} from '../../../stages/lib/models/initial-weights.ts';
import {parameterShapes} from '../../../stages/lib/models/shapes.ts';
import {vggishGraph} from '../../../stages/lib/models/vggish.ts';
import vggish from '../../../stages/vggish.ts';
import {runStage, temporaryFolder} from '../../support/stage-harness.ts';

const SMALL = vggishGraph({width: 0.02});
const SHAPES = parameterShapes(SMALL);

/** Names of the layers of a kind, with the sizes on both sides. */
function layersOf(kind: 'convolution' | 'dense'): readonly {name: string; from: number; to: number}[] {
  return SMALL.layers
    .filter(({op}) => op === kind)
    .map(({name}) => {
      const [from = 0, to = 0] = SHAPES.get(`${name}/weights`)?.slice(-2) ?? [];
      return {name, from, to};
    });
}

const POOLED = new Set(['vggish/conv1', 'vggish/conv2', 'vggish/conv3/conv3_2', 'vggish/conv4/conv4_2']);

/** The network as the published description gives it, in float64, one patch (96, 64). */
function reference(patch: Float32Array, weights: Weights): readonly number[] {
  let image: {height: number; width: number; channels: number; values: number[]} = {
    height: 96,
    width: 64,
    channels: 1,
    values: [...patch],
  };
  const arrayOf = (name: string): Float32Array => (weights.get(name) as NamedArray).data;
  for (const {name, from, to} of layersOf('convolution')) {
    const [kernel, biases] = [arrayOf(`${name}/weights`), arrayOf(`${name}/biases`)];
    const {height, width, values} = image;
    const output: number[] = [];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let o = 0; o < to; o++) {
          let sum = biases[o] ?? 0;
          for (let dy = -1; dy <= 1; dy++) {
            for (let dx = -1; dx <= 1; dx++) {
              if (y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width) continue;
              for (let c = 0; c < from; c++) {
                const value = values[((y + dy) * width + x + dx) * from + c] ?? 0;
                sum += value * (kernel[(((dy + 1) * 3 + dx + 1) * from + c) * to + o] ?? 0);
              }
            }
          }
          output.push(Math.max(0, sum));
        }
      }
    }
    image = {height, width, channels: to, values: output};
    if (!POOLED.has(name)) continue;
    const pooled: number[] = [];
    for (let y = 0; y < height; y += 2) {
      for (let x = 0; x < width; x += 2) {
        for (let c = 0; c < to; c++) {
          const at = (dy: number, dx: number): number => output[((y + dy) * width + x + dx) * to + c] ?? 0;
          pooled.push(Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1)));
        }
      }
    }
    image = {height: height / 2, width: width / 2, channels: to, values: pooled};
  }
  let units: readonly number[] = image.values;
  for (const {name, from, to} of layersOf('dense')) {
    const [matrix, biases] = [arrayOf(`${name}/weights`), arrayOf(`${name}/biases`)];
    const before = units;
    units = Array.from({length: to}, (_, o) => {
      let sum = biases[o] ?? 0;
      for (let i = 0; i < from; i++) sum += (before[i] ?? 0) * (matrix[i * to + o] ?? 0);
      return name === 'vggish/fc2' ? sum : Math.max(0, sum);
    });
  }
  return units;
}

/** Weights of width 0.02 with biases, so that a forgotten bias shows. */
function smallWeights(): Weights {
  const rng = createRng(9);
  return new Map(
    [...initialWeights(SMALL, 3, {initialiser: 'he'})].map(([name, {shape, data}]) => [
      name,
      {shape, data: name.endsWith('/biases') ? data.map(() => 0.2 * rng.normal()) : data},
    ]),
  );
}

function weightsFile(weights: Weights): string {
  const path = `${temporaryFolder()}/weights.safetensors`;
  writeSafeTensors(path, weights);
  return path;
}

function patches(count: number): Float32Array {
  const rng = createRng(4);
  return Float32Array.from({length: count * 96 * 64}, () => rng.normal() - 2);
}

const patchesInput = (count: number) => ({content: encodeNpy({shape: [count, 96, 64], data: patches(count)})});

describe.each(['onnx-blas', 'wasm'])('vggish on %s', (engine) => {
  test('equals the network written out in float64, to 2e-5 of the largest value', async () => {
    const weights = smallWeights();
    const {outputs} = await runStage(vggish, {
      engine,
      inputs: {patches: patchesInput(2), weights: weightsFile(weights)},
    });
    const {shape, data} = readFloat32(outputs.embeddings, 2);
    expect(shape).toEqual([2, 128]);
    for (const row of [0, 1]) {
      const expected = reference(patches(2).subarray(row * 96 * 64, (row + 1) * 96 * 64), weights);
      const scale = Math.max(...expected.map(Math.abs));
      for (const [i, value] of expected.entries()) {
        expect(Math.abs((data[row * 128 + i] ?? Number.NaN) - value) / scale).toBeLessThan(2e-5);
      }
    }
  });

  test('the activation cuts at zero', async () => {
    const weights = weightsFile(smallWeights());
    const embeddings = async (embeddingActivation: 'none' | 'relu') => {
      const params = {embeddingActivation};
      const {outputs} = await runStage(vggish, {engine, params, inputs: {patches: patchesInput(5), weights}});
      return [...readFloat32(outputs.embeddings).data];
    };
    const plain = await embeddings('none');
    expect(plain.some((value) => value < 0)).toBe(true);
    expect(await embeddings('relu')).toEqual(plain.map((value) => Math.max(0, value)));
  });

  test('neither the size of a batch nor the number of threads changes a byte', async () => {
    const weights = weightsFile(smallWeights());
    const embeddings = async (batch: number, threads: number) => {
      const {outputs, progress} = await runStage(vggish, {
        engine,
        params: {batch},
        threads,
        inputs: {patches: patchesInput(7), weights},
      });
      expect(progress).toHaveLength(Math.ceil(7 / batch));
      return readFileSync(outputs.embeddings);
    };
    const whole = await embeddings(32, 1);
    for (const batch of [1, 2, 3, 7]) expect((await embeddings(batch, 1)).equals(whole)).toBe(true);
    for (const batch of [1, 7]) expect((await embeddings(batch, 2)).equals(whole)).toBe(true);
  });

  test('the head of a fine-tuned model is passed over', async () => {
    const weights = smallWeights();
    const more = new Map([...weights, ['head/hidden/weights', {shape: [1], data: Float32Array.of(1)}]]);
    const run = async (given: Weights) => {
      const inputs = {patches: patchesInput(1), weights: weightsFile(given)};
      return readFileSync((await runStage(vggish, {engine, inputs})).outputs.embeddings);
    };
    expect((await run(more)).equals(await run(weights))).toBe(true);
  });

  test('a value that is not a number is refused in any batch, and so is an embedding that overflows', async () => {
    const weights = weightsFile(smallWeights());
    const data = patches(5);
    data[4 * 96 * 64] = Infinity;
    const broken = {content: encodeNpy({shape: [5, 96, 64], data})};
    await expect(runStage(vggish, {engine, params: {batch: 2}, inputs: {patches: broken, weights}})).rejects.toThrow(
      'the patches hold a value that is not a finite number',
    );
    const large = new Map(smallWeights());
    const {shape, data: kernel} = large.get('vggish/fc2/weights') as NamedArray;
    large.set('vggish/fc2/weights', {shape, data: kernel.map(() => 3e38)});
    await expect(
      runStage(vggish, {engine, inputs: {patches: patchesInput(1), weights: weightsFile(large)}}),
    ).rejects.toThrow('an embedding is not a finite number');
  });

  test('a cancelled run stops', async () => {
    const inputs = {patches: patchesInput(3), weights: weightsFile(smallWeights())};
    const run = runStage(vggish, {engine, inputs, params: {batch: 1}, signal: AbortSignal.abort(new Error('stop'))});
    await expect(run).rejects.toThrow('stop');
  });

  test('other weights at the same path are noticed', async () => {
    const path = weightsFile(smallWeights());
    const run = async () =>
      readFileSync(
        (await runStage(vggish, {engine, inputs: {patches: patchesInput(1), weights: path}})).outputs.embeddings,
      );
    const before = await run();
    expect((await run()).equals(before)).toBe(true);
    writeSafeTensors(path, initialWeights(SMALL, 4, {initialiser: 'he'}));
    expect((await run()).equals(before)).toBe(false);
  });

  test('a clip without patches gives no embeddings', async () => {
    const {outputs} = await runStage(vggish, {
      engine,
      inputs: {patches: patchesInput(0), weights: weightsFile(smallWeights())},
    });
    expect(readFloat32(outputs.embeddings).shape).toEqual([0, 128]);
  });

  test('a missing or misshapen tensor is named with what is expected and what was found', async () => {
    const missing = new Map(smallWeights());
    missing.delete('vggish/fc2/biases');
    const misshapen = new Map(smallWeights());
    misshapen.set('vggish/conv2/weights', {shape: [3, 3, 2, 3], data: new Float32Array(54)});
    const run = (weights: Weights) =>
      runStage(vggish, {engine, inputs: {patches: patchesInput(1), weights: weightsFile(weights)}});
    await expect(run(missing)).rejects.toThrow('the weights have no tensor `vggish/fc2/biases`');
    await expect(run(misshapen)).rejects.toThrow(
      'tensor `vggish/conv2/weights` has shape [3, 3, 2, 3]; [3, 3, 1, 3] is expected',
    );
  });

  test('patches of another shape and values that are not numbers are refused', async () => {
    const weights = weightsFile(smallWeights());
    const small = {content: encodeNpy({shape: [1, 96, 32], data: new Float32Array(96 * 32)})};
    await expect(runStage(vggish, {engine, inputs: {patches: small, weights}})).rejects.toThrow(
      '[n, 96, 64] is expected',
    );
    const broken = {content: encodeNpy({shape: [1, 96, 64], data: new Float32Array(96 * 64).fill(Number.NaN)})};
    await expect(runStage(vggish, {engine, inputs: {patches: broken, weights}})).rejects.toThrow(
      'the patches hold a value that is not a finite number',
    );
    const spoilt = new Map(smallWeights());
    spoilt.set('vggish/conv1/biases', {shape: [1], data: Float32Array.of(Number.NaN)});
    const run = runStage(vggish, {engine, inputs: {patches: patchesInput(1), weights: weightsFile(spoilt)}});
    await expect(run).rejects.toThrow('tensor `vggish/conv1/biases` holds a value that is not a finite number');
  });
});
