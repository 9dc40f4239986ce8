import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {StageError} from 'mixdown/stage';
import {afterEach, describe, expect, test} from 'vitest';
import {openCheckpoint} from '../../../../../stages/lib/checkpoints/open.ts';
import {sliceKey} from '../../../../../stages/lib/checkpoints/slice-key.ts';
import {openRandomFile, type RandomFile} from '../../../../../stages/lib/formats/random-file.ts';
import type {Checkpoint} from '../../../../../stages/lib/checkpoints/stored-tensor.ts';
import {openSstable} from '../../../../../stages/lib/checkpoints/sstable.ts';
import {temporaryFolder, treeOf} from '../../../../support/stage-harness.ts';
import {
  checkpointV1,
  checkpointV2,
  floats,
  sstable,
  type TableOptions,
  type WrittenTensor,
} from '../../../../support/tensorflow-checkpoint.ts';

const opened: {close(): void}[] = [];
afterEach(() => {
  for (const file of opened.splice(0)) file.close();
});

type Files = Readonly<Record<string, Uint8Array>>;
type Read = ReadonlyMap<string, {readonly shape: readonly number[]; readonly values: Float32Array}>;

/** All tensors of the checkpoint in these files. Throws what reading throws. */
function readAll(files: Files): Read {
  return new Map([...openAll(files)].map(([name, {shape, read}]) => [name, {shape, values: read()}]));
}

function openAll(files: Files): Checkpoint['tensors'] {
  const folder = temporaryFolder();
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  const checkpoint = openCheckpoint(treeOf(folder), {format: 'auto', file: ''});
  opened.push(checkpoint);
  return checkpoint.tensors;
}

function fileOf(bytes: Uint8Array): RandomFile {
  const path = join(temporaryFolder(), 'table');
  writeFileSync(path, bytes);
  const file = openRandomFile(path, 'the table');
  opened.push(file);
  return file;
}

/** Counts up from `start`, as many as the shape needs. */
function counting(shape: readonly number[], start = 0): Uint8Array {
  const size = shape.reduce((product, axis) => product * axis, 1);
  return new Uint8Array(Float32Array.from({length: size}, (_, i) => start + i / 8).buffer);
}

/** 3 x 5 in four boxes; one axis of two of them is taken whole. */
const SLICED: WrittenTensor = {
  name: 'sliced/ä',
  shape: [3, 5],
  bytes: new Uint8Array(0),
  slices: [
    {extents: [[0, 1], undefined], bytes: floats(0, 1, 2, 3, 4)},
    {
      extents: [
        [1, 2],
        [0, 2],
      ],
      bytes: floats(5, 6, 10, 11),
    },
    {
      extents: [
        [1, 1],
        [2, 3],
      ],
      bytes: floats(7, 8, 9),
    },
    {
      extents: [
        [2, 1],
        [2, 3],
      ],
      bytes: floats(12, 13, 14),
    },
  ],
};

const TENSORS: readonly WrittenTensor[] = [
  ...Array.from({length: 40}, (_, i) => ({name: `net/layer${i}/weights`, shape: [2, i], bytes: counting([2, i], i)})),
  {name: 'scalar', shape: [], bytes: floats(7)},
  {name: 'conv', shape: [3, 3, 1, 4], bytes: counting([3, 3, 1, 4])},
  SLICED,
  {name: 'double', shape: [2], bytes: new Uint8Array(Float64Array.of(0.1, -1e300).buffer), type: 2},
  // 1, -2, the smallest above 0, infinity.
  {name: 'half', shape: [4], bytes: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 1, 0x7c00).buffer), type: 19},
  {name: 'bfloat', shape: [2], bytes: new Uint8Array(Uint16Array.of(0x3f80, 0xc049).buffer), type: 14},
];

function expected(): Read {
  const plain = TENSORS.filter(({type, slices}) => type === undefined && slices === undefined);
  const entries = plain.map(
    ({name, shape, bytes}) => [name, {shape, values: new Float32Array(bytes.slice().buffer)}] as const,
  );
  return new Map([
    ...entries,
    ['sliced/ä', {shape: [3, 5], values: Float32Array.from({length: 15}, (_, i) => i)}],
    ['double', {shape: [2], values: Float32Array.of(0.1, -Infinity)}],
    ['half', {shape: [4], values: Float32Array.of(1, -2, 2 ** -24, Infinity)}],
    ['bfloat', {shape: [2], values: Float32Array.of(1, -3.140625)}],
  ]);
}

const VERSIONS = {
  'version 1': (options?: TableOptions): Files => ({'model.ckpt': checkpointV1(TENSORS, options)}),
  'version 2': (options?: TableOptions): Files => checkpointV2('model.ckpt', TENSORS, {...options, shards: 3}),
} as const;

describe.each(Object.entries(VERSIONS))('a checkpoint of %s', (_version, write) => {
  test.each<[string, TableOptions]>([
    ['as TensorFlow writes it', {}],
    ['in many small blocks', {blockBytes: 60}],
    ['one restart point a key', {restartInterval: 1}],
    ['packed with Snappy', {snappy: true, blockBytes: 2000}],
  ])('is read whole, %s', (_how, options) => {
    expect(readAll(write(options))).toEqual(expected());
  });

  test('has an error or the same values after any change of a byte', () => {
    const files = write({blockBytes: 700});
    const names = Object.keys(files);
    const whole = expected();
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({min: 1, max: 255}), (which, at, flip) => {
        const name = names[which % names.length] ?? '';
        const bytes = Buffer.from(files[name] ?? []);
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ flip;
        expectSameOrError({...files, [name]: bytes}, whole);
      }),
      {numRuns: 250},
    );
  });

  test('has an error when it is cut short', () => {
    const files = write({blockBytes: 700});
    for (const [name, bytes] of Object.entries(files)) {
      for (let length = 0; length < bytes.length; length += 1 + Math.floor(bytes.length / 60)) {
        expect(() => readAll({...files, [name]: bytes.subarray(0, length)})).toThrow(StageError);
      }
    }
  });
});

function expectSameOrError(files: Files, whole: Read): void {
  let read: Read;
  try {
    read = readAll(files);
  } catch (error) {
    expect(error).toBeInstanceOf(StageError);
    return;
  }
  expect(read).toEqual(whole);
}

describe('slices', () => {
  const part = (extents: readonly (readonly [number, number] | undefined)[], ...values: number[]) => ({
    extents,
    bytes: floats(...values),
  });

  test.each([
    ['leave a gap', [part([[0, 2]], 1, 2)]],
    ['overlap', [part([[0, 2]], 1, 2), part([[1, 2]], 2, 3)]],
    ['overlap and leave a gap of the same size', [part([[0, 2]], 1, 2), part([[1, 1]], 2)]],
    ['go beyond the tensor', [part([[0, 2]], 1, 2), part([[2, 2]], 3, 4)]],
    [
      'are of another rank',
      [
        part(
          [
            [0, 3],
            [0, 1],
          ],
          1,
          2,
          3,
        ),
      ],
    ],
  ])('that %s are an error', (_what, slices) => {
    const tensor = {name: 'x', shape: [3], bytes: floats(), slices};
    expect(() => readAll({'model.ckpt': checkpointV1([tensor])})).toThrow(
      /the slices of tensor `x` do not make up|larger/,
    );
    expect(() => readAll(checkpointV2('m', [tensor]))).toThrow(/slice/);
  });

  test('may lie in several files of version 1', () => {
    const shape = [2, 2];
    const half = (start: number, ...values: number[]) =>
      checkpointV1([{name: 'x', shape, bytes: floats(), slices: [part([[start, 1], undefined], ...values)]}]);
    const read = readAll({'m.ckpt-00000-of-00002': half(0, 1, 2), 'm.ckpt-00001-of-00002': half(1, 3, 4)});
    expect(read).toEqual(new Map([['x', {shape, values: Float32Array.of(1, 2, 3, 4)}]]));
    expect(() => readAll({'m.ckpt-00000-of-00002': half(0, 1, 2)})).toThrow(/do not make up its shape 2 x 2/);
  });
});

describe('sizes that a file claims', () => {
  test('are not believed beyond what it holds', () => {
    const huge = {name: 'x', shape: [2 ** 20, 2 ** 30], bytes: floats(1)};
    expect(() => readAll({'model.ckpt': checkpointV1([huge])})).toThrow(
      /`x` \(1048576 x 1073741824\) is larger than the file/,
    );
    expect(() => readAll(checkpointV2('m', [huge]))).toThrow(/cannot have 4 bytes/);
    const sliced = {
      ...huge,
      slices: [
        {
          extents: [
            [0, 1],
            [0, 1],
          ] as const,
          bytes: floats(1),
        },
      ],
    };
    expect(() => readAll({'model.ckpt': checkpointV1([sliced])})).toThrow(/do not make up/);
    expect(() => readAll(checkpointV2('m', [sliced]))).toThrow(/do not make up/);
  });

  test('must be those of the values', () => {
    const wrong = {name: 'x', shape: [3], bytes: floats(1, 2)};
    expect(() => readAll({'model.ckpt': checkpointV1([wrong])})).toThrow(/8 bytes of values of `x`/);
    expect(() => readAll(checkpointV2('m', [wrong]))).toThrow(/of shape 3 cannot have 8 bytes/);
  });
});

describe('a tensor that is no floating-point number', () => {
  test('does no harm until it is read', () => {
    const step = {name: 'global_step', shape: [], bytes: new Uint8Array(8), type: 9};
    expect(() => readAll(checkpointV2('m', [step]))).toThrow(/`global_step` .* is of int64, not a float type/);
  });
});

describe('sliceKey', () => {
  // The bytes of a file that TensorFlow 0.x wrote, and the examples in ordered_code.cc.
  test.each([
    ['Variable', ['all', 'all'], '00 56617269 61626c65 0001 0102 80 7f 80 7f'],
    ['x', [{start: 0x424242, length: 63}], '00 78 0001 0101 f0424242 bf'],
    ['x', [{start: 64, length: 8192}], '00 78 0001 0101 c040 e02000'],
  ] as const)('%s %j', (name, extents, hex) => {
    expect(Buffer.from(sliceKey(name, extents), 'latin1').toString('hex')).toBe(hex.replaceAll(' ', ''));
  });
});

describe('openSstable', () => {
  const entries = Array.from({length: 300}, (_, i) => [`key${i}`, Buffer.from(`value ${i}`)] as const);

  test('gives each value by its key, and no other', () => {
    const table = openSstable(fileOf(sstable(entries, {blockBytes: 300})));
    for (const [key, value] of entries) expect(Buffer.from(table.get(key) ?? [])).toEqual(value);
    for (const key of ['', 'key', 'key3000', 'z']) expect(table.get(key)).toBeUndefined();
    expect([...table.entries()]).toHaveLength(300);
  });

  test('refuses keys that are out of order', () => {
    const table = sstable([['a', floats(1)]]);
    const twice = sstable(
      [
        ['a', floats(1)],
        ['a', floats(2)],
      ],
      {blockBytes: 1},
    );
    expect(() => [...openSstable(fileOf(twice)).entries()]).toThrow(/out of order/);
    expect([...openSstable(fileOf(table)).entries()]).toHaveLength(1);
  });

  test('refuses keys longer than any name', () => {
    const table = fileOf(sstable([['k'.repeat(9000), floats(1)]]));
    expect(() => openSstable(table)).toThrow(/a key has more than 8192 bytes/);
  });
});

test('a large tensor of version 1 that shares its block with small ones is read, and so are they, again and again', () => {
  const shape = [300_000];
  const tensors = [
    {name: 'a', shape: [3], bytes: floats(1, 2, 3)},
    {name: 'b', shape, bytes: counting(shape)},
    {name: 'c', shape: [1], bytes: floats(4)},
  ];
  const files = {'model.ckpt': checkpointV1(tensors, {blockBytes: 2 ** 30})};
  const read = readAll(files);
  const again = openAll(files).get('b');
  expect(again?.read()).toEqual(again?.read());
  expect([...read.values()].map(({values}) => [values.length, values[0], values.at(-1)])).toEqual([
    [3, 1, 3],
    [300_000, 0, 299_999 / 8],
    [1, 4, 4],
  ]);
});
