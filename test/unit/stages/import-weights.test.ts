import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import type {NpyArray} from '../../../stages/lib/formats/npy.ts';
import {writeNpz} from '../../../stages/lib/formats/npz.ts';
import {readSafeTensors, writeSafeTensors} from '../../../stages/lib/formats/safetensors.ts';
import {permute} from '../../../stages/lib/checkpoints/permute.ts';
import {parameterShapes} from '../../../stages/lib/models/shapes.ts';
import {vggishGraph} from '../../../stages/lib/models/vggish.ts';
import {yamnetGraph} from '../../../stages/lib/models/yamnet.ts';
import {toOnnx} from '../../../stages/lib/onnx/from-graph.ts';
import type {NamedArray, Weights} from '../../../stages/lib/tensors/named-array.ts';
import importWeights from '../../../stages/import-weights.ts';
import {sharedData} from '../../support/shared-data.ts';
import {runStage, temporaryFolder} from '../../support/stage-harness.ts';
import {checkpointV1, checkpointV2, type WrittenTensor} from '../../support/tensorflow-checkpoint.ts';

const WIDTH = 0.02;
const SMALL = {width: WIDTH} as const;

/** Values that tell where they are, for each parameter of a network. */
function numbered(shapes: ReadonlyMap<string, readonly number[]>): Weights {
  let number = 0;
  return new Map(
    [...shapes].map(([name, shape]) => {
      const size = shape.reduce((product, axis) => product * axis, 1);
      return [name, {shape, data: Float32Array.from({length: size}, () => (++number % 8191) / 64)}];
    }),
  );
}

const vggish = numbered(parameterShapes(vggishGraph(SMALL)));

type Files = Readonly<Record<string, Uint8Array | string>>;

type Params = NonNullable<
  Parameters<typeof runStage<typeof importWeights.params, typeof importWeights.inputs, typeof importWeights.outputs>>[1]
>['params'];

async function imported(files: Files | string, params: Params = {}) {
  const input = typeof files === 'string' ? files : {files};
  const result = await runStage(importWeights, {params: {...SMALL, ...params}, inputs: {files: input}});
  return {...result, ...readSafeTensors(result.outputs.weights)};
}

function written(weights: Weights): readonly WrittenTensor[] {
  return [...weights].map(([name, {shape, data}]) => ({name, shape, bytes: new Uint8Array(data.slice().buffer)}));
}

/** A .npz file of the arrays. */
function npz(arrays: Readonly<Record<string, NpyArray>>): Uint8Array {
  const path = join(temporaryFolder(), 'x.npz');
  writeNpz(path, arrays);
  return readFileSync(path);
}

function safetensors(weights: Weights): Uint8Array {
  const path = join(temporaryFolder(), 'x.safetensors');
  writeSafeTensors(path, weights);
  return readFileSync(path);
}

function renamed(weights: Weights, rename: (name: string) => string): Readonly<Record<string, NamedArray>> {
  return Object.fromEntries([...weights].map(([name, array]) => [rename(name), array]));
}

const LAYERS = ['conv1', 'conv2', 'conv3_1', 'conv3_2', 'conv4_1', 'conv4_2', 'fc1_1', 'fc1_2', 'fc2'];
const FEATURES = [0, 3, 6, 8, 11, 13];

/** The state of a port to PyTorch: kernels outputs first, dense weights turned. */
function torchState(dense: string, channelsFirst = false): Readonly<Record<string, NamedArray>> {
  return Object.fromEntries(
    [...vggish].map(([name, array]): [string, NamedArray] => {
      const [, layer = '', part = ''] = /([^/]+)\/(weights|biases)$/.exec(name) ?? [];
      const number = LAYERS.indexOf(layer);
      const scope = number < 6 ? `features.${FEATURES[number]}` : `${dense}.${2 * (number - 6)}`;
      if (part === 'biases') return [`${scope}.bias`, array];
      const image = [6, 4, (array.shape[0] ?? 0) / 24, array.shape[1] ?? 0];
      const data = layer === 'fc1_1' && channelsFirst ? permute(array.data, image, [2, 0, 1, 3]) : array.data;
      const axes = array.shape.length === 4 ? [3, 2, 0, 1] : [1, 0];
      return [
        `${scope}.weight`,
        {shape: axes.map((axis) => array.shape[axis] ?? 0), data: permute(data, array.shape, axes)},
      ];
    }),
  );
}

/** The arrays under numbers, in the order of the parameters. */
function mangled(arrays: Readonly<Record<string, NamedArray>>): Readonly<Record<string, NamedArray>> {
  return Object.fromEntries(Object.values(arrays).map((array, i) => [`p${i}`, array]));
}

const EXTRA: Readonly<Record<string, NamedArray>> = {
  'vggish/conv1/weights/Adam': {shape: [1], data: Float32Array.of(1)},
  beta1_power: {shape: [], data: Float32Array.of(0.9)},
};

describe('VGGish', () => {
  const all = new Map([...vggish, ...Object.entries(EXTRA)]);
  const KERAS = (name: string): string =>
    name
      .replace('vggish/fc', 'vggish_fc')
      .replace('vggish/', '')
      .replace('weights', 'kernel:0')
      .replace('biases', 'bias:0');

  test.each<[string, Files, Params?]>([
    [
      'a TensorFlow checkpoint of version 1',
      {'vggish_model.ckpt': checkpointV1(written(all)), 'README.md': '# VGGish'},
    ],
    ['one of version 2', {...checkpointV2('model.ckpt-7', written(all), {shards: 2}), checkpoint: 'model.ckpt-7'}],
    ['.safetensors', {'w.safetensors': safetensors(all)}],
    ['.npz of Keras', {'w.npz': npz(renamed(all, KERAS))}],
    ['.npz in the scope of another model', {'w.npz': npz(renamed(all, (name) => `audio/${name}`))}],
    ['.npz of torchvggish', {'w.npz': npz({...EXTRA, ...torchState('embeddings')})}],
    ['.npz of torchaudio', {'w.npz': npz({...EXTRA, ...torchState('embedding_network')})}],
    [
      'another port, which flattens channels first',
      {'w.safetensors': safetensors(new Map(Object.entries({...EXTRA, ...torchState('classifier', true)})))},
      {flatten: 'channels-first'},
    ],
    [
      'another port, which flattens rows first',
      {'w.npz': npz({...EXTRA, ...torchState('classifier')})},
      {flatten: 'rows-first'},
    ],
    [
      'names that nobody knows, in the layout of PyTorch, which square weights do not tell',
      {'w.npz': npz({...EXTRA, ...mangled(torchState('fc'))})},
      {flatten: 'rows-first', names: Object.fromEntries([...vggish.keys()].map((name, i) => [name, `p${i}`]))},
    ],
    [
      'names that nobody knows',
      {'w.npz': npz(renamed(all, (name) => name.replace('vggish/fc2/', 'top-').replace('conv', 'block')))},
      {
        names: Object.fromEntries(
          [...vggish.keys()].map((name) => [name, name.replace('vggish/fc2/', 'top-').replace('conv', 'block')]),
        ),
      },
    ],
  ])('%s', async (_what, files, params) => {
    const {tensors, metadata, metrics, logs} = await imported(files, params);
    expect(new Map(tensors)).toEqual(new Map([...vggish].sort(([a], [b]) => (a < b ? -1 : 1))));
    expect(metadata['model']).toBe('vggish');
    expect(metrics['leftOver']).toBe(2);
    expect(logs.join('\n')).toMatch(/18 tensors of VGGish from .*\nnot used, 2 tensors: .*beta1_power/);
  });

  test('an ONNX model of ours', async () => {
    const {tensors} = await imported({'vggish.onnx': toOnnx(vggishGraph(SMALL), vggish)});
    expect(new Map(tensors)).toEqual(new Map([...vggish].sort(([a], [b]) => (a < b ? -1 : 1))));
  });

  test('a port whose order is not known needs to be told', async () => {
    const files = {'w.npz': npz(torchState('classifier'))};
    await expect(imported(files)).rejects.toThrow(/`classifier.0.weight` does not tell in which order/);
  });

  test('what is missing is named, and what is there', async () => {
    const few = new Map([...vggish].filter(([name]) => !name.includes('fc2') && !name.endsWith('conv1/biases')));
    await expect(imported({'w.safetensors': safetensors(few)})).rejects.toMatchObject({
      message: expect.stringMatching(
        /`w.safetensors` \(safetensors\) lacks 3 of the 18 tensors of VGGish: vggish\/conv1\/biases, vggish\/fc2\/weights, vggish\/fc2\/biases/,
      ) as string,
      hint: expect.stringMatching(/it has vggish\/conv1\/weights \(3 x 3 x 1 x 1\), /) as string,
    });
  });

  test('every wrong shape is named', async () => {
    const wrong = new Map([...vggish, ['vggish/conv1/biases', {shape: [7], data: new Float32Array(7)}]] as const);
    await expect(imported({'w.safetensors': safetensors(wrong)})).rejects.toThrow(
      '`vggish/conv1/biases` has shape 7; `vggish/conv1/biases` of the model has 1',
    );
    await expect(imported({'w.safetensors': safetensors(vggish)}, {width: 1})).rejects.toThrow(
      /17 problems with the weights in `w.safetensors`[^]*`vggish\/conv1\/weights` has shape 3 x 3 x 1 x 1; .* has 3 x 3 x 1 x 64/,
    );
  });

  test('a value that is not finite is an error', async () => {
    const data = Float32Array.of(NaN);
    const wrong = new Map([...vggish, ['vggish/conv1/biases', {shape: [1], data}]] as const);
    await expect(imported({'w.safetensors': safetensors(wrong)})).rejects.toThrow(
      '`w.safetensors`: `vggish/conv1/biases` holds a value that is not a finite number',
    );
  });

  test('two tensors for one parameter are an error', async () => {
    const arrays = {
      ...renamed(vggish, (name) => `a/${name}`),
      'b/vggish/fc2/biases': vggish.get('vggish/fc2/biases') as NamedArray,
    };
    await expect(imported({'w.npz': npz(arrays)})).rejects.toThrow(
      'both `a/vggish/fc2/biases` and `b/vggish/fc2/biases` may be `vggish/fc2/biases`',
    );
  });

  test.each([
    [{'vggish/conv9/weights': 'x'}, /the model has no parameter `vggish\/conv9\/weights`/],
    [{'vggish/conv1/weights': 'x'}, /`w.safetensors` has no tensor `x`/],
    [{'vggish/conv1/weights': 3}, /`vggish\/conv1\/weights` must be a name, not 3/],
  ])('param names %j', async (names, message) => {
    await expect(imported({'w.safetensors': safetensors(vggish)}, {names})).rejects.toThrow(message);
  });
});

describe('the released size', () => {
  test('has the parameters of the released checkpoint', () => {
    const shapes = parameterShapes(vggishGraph({width: importWeights.params.width.default}));
    const sizes = [...shapes.values()].map((shape) => shape.reduce((product, axis) => product * axis, 1));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(72_141_184);
    expect(Object.fromEntries(shapes)).toMatchObject({
      'vggish/conv1/weights': [3, 3, 1, 64],
      'vggish/conv3/conv3_2/biases': [256],
      'vggish/conv4/conv4_2/weights': [3, 3, 512, 512],
      'vggish/fc1/fc1_1/weights': [12288, 4096],
      'vggish/fc2/weights': [4096, 128],
    });
    expect(shapes.size).toBe(18);
  });
});

describe('a folder', () => {
  const good = safetensors(vggish);

  test('with several checkpoints needs to be told which', async () => {
    const files = {'a/w.safetensors': good, 'model.ckpt': checkpointV1(written(vggish)), 'x.npz': npz({})};
    await expect(imported(files)).rejects.toThrow('the folder holds 3 checkpoints: a/w.safetensors, model.ckpt, x.npz');
    await expect(imported(files, {format: 'tensorflow'})).resolves.toMatchObject({metrics: {leftOver: 0}});
    await expect(imported(files, {file: 'a/w.safetensors'})).resolves.toMatchObject({metrics: {leftOver: 0}});
  });

  test('with two of version 2 takes what their names start with', async () => {
    const files = {...checkpointV2('m-1', written(vggish)), ...checkpointV2('m-10', written(vggish))};
    await expect(imported(files)).rejects.toThrow('the folder holds 2 checkpoints: m-1.index, m-10.index');
    await expect(imported(files, {file: 'm-1'})).resolves.toMatchObject({metrics: {leftOver: 0}});
  });

  test('without the data file of a checkpoint says which is missing', async () => {
    const {'m.index': index} = checkpointV2('m', written(vggish));
    await expect(imported({'m.index': index ?? ''})).rejects.toThrow('`m.data-00000-of-00001` is missing');
  });

  test.each<[string, Uint8Array | string, RegExp]>([
    ['vggish.pth', npz({x: {shape: [1], data: Float32Array.of(1)}}).slice(0, 100), /not a usable archive/],
    ['vggish.pt', Uint8Array.of(0x80, 2, 0x8a), /`vggish.pt` cannot be imported as it is/],
    ['yamnet.h5', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10), /`yamnet.h5` cannot be imported as it is/],
    ['notes.txt', 'weights', /no weights found in: notes.txt/],
    ['empty.txt', '', /no weights found in: empty.txt/],
    ['model.ckpt', 'version https://git-lfs.github.com/spec/v1', /no TensorFlow checkpoint, or is cut short/],
    [
      'list.json',
      '{"tensors": [{"name": "x", "shape": [1], "offset": 0, "count": 1}]}',
      /needs one .bin file .* there are 0/,
    ],
  ])('with %s', async (name, content, message) => {
    await expect(imported({[name]: content})).rejects.toThrow(message);
  });

  test('says how to convert what PyTorch wrote', async () => {
    // A ZIP archive with a member data.pkl, as torch.save makes it.
    const path = join(temporaryFolder(), 'x.npz');
    writeNpz(path, {'archive/data': {shape: [1], data: new Float32Array(1)}});
    const archive = Buffer.from(readFileSync(path).toString('latin1').replaceAll('data.npy', 'data.pkl'), 'latin1');
    await expect(imported({'vggish.pth': archive})).rejects.toMatchObject({
      message: '`vggish.pth` cannot be imported as it is',
      hint: expect.stringContaining("numpy.savez('vggish.npz'") as string,
    });
  });

  test('whose manifest does not fit its file of values is an error', async () => {
    const manifest = JSON.stringify({tensors: [{name: 'x', shape: [2], offset: 0, count: 2}]});
    const files = {'list.json': manifest, 'values.bin': new Uint8Array(4)};
    await expect(imported(files)).rejects.toThrow(
      '`values.bin` has 4 bytes; the manifest beside it lists tensors of 8',
    );
  });
});

describe('YAMNet', () => {
  const folder = sharedData('yamnet');

  test.skipIf(folder === undefined)('the manifest of real weights', async () => {
    const {tensors, metrics} = await imported(folder ?? '', {model: 'yamnet', width: 1});
    expect(metrics).toEqual({parameters: 3_729_481, leftOver: 0});
    const values = readFileSync(join(folder ?? '', 'yamnet_weights_f32.bin'));
    expect(tensors.get('layer2/weights')?.shape).toEqual([3, 3, 32, 1]);
    expect(tensors.get('layer2/weights')?.data[5]).toBe(values.readFloatLE(1280 + 20));
    expect(tensors.get('layer28/biases')?.data[520]).toBe(values.readFloatLE(values.length - 4));
  });

  const shapes = parameterShapes(yamnetGraph());
  const weights = numbered(shapes);

  /** Weights and normalisations of a layer under the names of the release, the normalisation chosen at random. */
  function normalised(kernelName: (n: number) => string, normName: (n: number) => string, head: string) {
    const arrays: Record<string, NamedArray> = {};
    for (let n = 1; n <= 28; n++) {
      const [kernel, biases] = [weights.get(`layer${n}/weights`), weights.get(`layer${n}/biases`)] as [
        NamedArray,
        NamedArray,
      ];
      if (n === 28) {
        arrays[`${head}kernel`] = kernel;
        arrays[`${head}bias`] = biases;
        continue;
      }
      arrays[kernelName(n)] = kernel;
      const make = (low: number): NamedArray => ({
        ...biases,
        data: biases.data.map((_, i) => low + ((i * 7) % 11) / 4),
      });
      arrays[`${normName(n)}beta`] = make(-1);
      arrays[`${normName(n)}moving_mean`] = make(-2);
      arrays[`${normName(n)}moving_variance`] = make(0.25);
    }
    return arrays;
  }

  const keras = (n: number): string =>
    n === 1 ? 'layer1/conv' : `layer${Math.floor(n / 2) + 1}/${n % 2 ? 'pointwise_conv' : 'depthwise_conv'}`;
  const kernel = (n: number): string => (n > 1 && n % 2 === 0 ? 'depthwise_kernel' : 'kernel');
  const suffix = '/.ATTRIBUTES/VARIABLE_VALUE';

  test.each<[string, Files]>([
    [
      'the released Keras model',
      {
        'yamnet.npz': npz(
          normalised(
            (n) => `${keras(n)}/${keras(n)}/${kernel(n)}:0`,
            (n) => `${keras(n)}/bn/`,
            'logits/',
          ),
        ),
      },
    ],
    [
      'its SavedModel',
      checkpointV2(
        'variables/variables',
        written(
          new Map(
            Object.entries(
              normalised(
                (n) => `_yamnet/layer_with_weights-${2 * n - 2}/${kernel(n)}`,
                (n) => `_yamnet/layer_with_weights-${2 * n - 1}/`,
                '_yamnet/layer_with_weights-54/',
              ),
            ).map(([name, array]) => [`${name}${suffix}`, array]),
          ),
        ),
      ),
    ],
  ])('normalisations of %s become part of the layers', async (_what, files) => {
    const {tensors, metrics} = await imported(files, {model: 'yamnet', width: 1});
    expect(metrics['leftOver']).toBe(0);
    expect(tensors.get('layer28/weights')).toEqual(weights.get('layer28/weights'));
    for (const n of [1, 2, 3, 27]) {
      const before = weights.get(`layer${n}/weights`) as NamedArray;
      const [after, biases] = [tensors.get(`layer${n}/weights`), tensors.get(`layer${n}/biases`)] as [
        NamedArray,
        NamedArray,
      ];
      const channels = biases.data.length;
      for (let i = 0; i < before.data.length; i += 13) {
        const c = i % channels;
        const step = ((c * 7) % 11) / 4;
        // The normalised output of one input that is 1, by the definition of batch normalisation.
        const output = ((before.data[i] ?? 0) - (-2 + step)) / Math.sqrt(0.25 + step + 1e-4) + (-1 + step);
        expect((after.data[i] ?? NaN) + (biases.data[c] ?? NaN)).toBeCloseTo(output, 3);
      }
    }
  });
});

test('an array that holds no floating-point numbers does no harm where it is not needed', async () => {
  const step = {shape: [1], data: Int32Array.of(3)};
  const files = {'w.npz': npz({...Object.fromEntries(vggish), step})};
  await expect(imported(files)).resolves.toMatchObject({metrics: {leftOver: 1}});
});
