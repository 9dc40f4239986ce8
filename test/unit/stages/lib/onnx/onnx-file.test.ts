import {writeFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {WireWriter} from '../../../../../stages/lib/formats/wire-writer.ts';
import {decodeModel, readOnnx} from '../../../../../stages/lib/onnx/decode.ts';
import {encodeModel, type OnnxArray, type OnnxModel} from '../../../../../stages/lib/onnx/encode.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const model: OnnxModel = {
  inputs: [{name: 'x', shape: ['batch', 2]}],
  outputs: [{name: 'y', shape: ['batch', 3]}],
  nodes: [
    {
      op: 'Gemm',
      inputs: ['x', 'a', 'b'],
      outputs: ['z'],
      attributes: {alpha: {float: 0.5}, transB: {int: 0}},
    },
    {op: 'Unsqueeze', inputs: ['z', 'axes'], outputs: ['y'], name: 'last'},
  ],
  initialisers: new Map<string, OnnxArray>([
    ['b', {shape: [3], data: Float32Array.of(1, 2, 3)}],
    ['a', {shape: [2, 3], data: Float32Array.of(1, 0.5, -0, 1e-40, 3e38, -7)}],
    ['axes', {shape: [1], data: BigInt64Array.of(-1n)}],
  ]),
  metadata: {license: 'CC0', classes: '["a"]'},
};

test('a model reads back as it was written', () => {
  expect(decodeModel(encodeModel(model))).toEqual({
    weights: new Map([...model.initialisers].filter(([name]) => name !== 'axes')),
    others: new Map([['axes', 7]]),
    metadata: {license: 'CC0', classes: '["a"]'},
    nodes: [
      {name: 'z', op: 'Gemm', inputs: ['x', 'a', 'b'], outputs: ['z']},
      {name: 'last', op: 'Unsqueeze', inputs: ['z', 'axes'], outputs: ['y']},
    ],
    inputs: ['x'],
    outputs: ['y'],
  });
});

test('the order of initialisers, attributes and metadata does not show', () => {
  const [gemm, last] = model.nodes;
  const attributes = {transB: {int: 0}, alpha: {float: 0.5}};
  const other: OnnxModel = {
    ...model,
    nodes: [{...(gemm as (typeof model.nodes)[number]), attributes}, last as (typeof model.nodes)[number]],
    initialisers: new Map([...model.initialisers].reverse()),
    metadata: {classes: '["a"]', license: 'CC0'},
  };
  expect(Buffer.from(encodeModel(other)).equals(encodeModel(model))).toBe(true);
});

test('an array that does not fill its shape is a bug', () => {
  const initialisers = new Map([['a', {shape: [2, 2], data: new Float32Array(3)}]]);
  expect(() => encodeModel({...model, initialisers})).toThrow(new RangeError('a has 3 values for shape [2, 2]'));
});

test('a model of 2 GB is refused before it is put together', () => {
  // Memory that is never touched.
  const data = new Float32Array(2 ** 27);
  const initialisers = new Map(['a', 'b', 'c', 'd'].map((name) => [name, {shape: [data.length], data}]));
  expect(() => encodeModel({...model, initialisers})).toThrow(/would have 2147\d{6} bytes; the format ends at 2 GB/);
});

/** A model of one initialiser, whose fields are given. */
function withTensor(fill: (tensor: WireWriter) => WireWriter): Uint8Array {
  return new WireWriter().message(7, new WireWriter().message(5, fill(new WireWriter()))).concat();
}

describe('initialisers written by others', () => {
  const floats = (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
  const valuesOf = (bytes: Uint8Array): readonly number[] => [...(decodeModel(bytes).weights.get('w')?.data ?? [])];

  test('float_data, packed or not', () => {
    const named = (tensor: WireWriter): WireWriter => tensor.integer(1, 2).integer(2, 1).text(8, 'w');
    expect(valuesOf(withTensor((tensor) => named(tensor).bytes(4, floats([1.5, -2]))))).toEqual([1.5, -2]);
    expect(valuesOf(withTensor((tensor) => named(tensor).float(4, 1.5).float(4, -2)))).toEqual([1.5, -2]);
  });

  test('packed dims, float16, bfloat16 and float64', () => {
    const typed = (type: number, raw: Uint8Array): Uint8Array =>
      withTensor((tensor) => tensor.bytes(1, Uint8Array.of(1, 2)).integer(2, type).text(8, 'w').bytes(9, raw));
    expect(valuesOf(typed(10, Uint8Array.of(0, 0x3c, 1, 0x80)))).toEqual([1, -(2 ** -24)]);
    expect(valuesOf(typed(16, Uint8Array.of(0x80, 0x3f, 0, 0xc0)))).toEqual([1, -2]);
    expect(valuesOf(typed(11, new Uint8Array(Float64Array.of(0.1, -3).buffer)))).toEqual([Math.fround(0.1), -3]);
    expect(decodeModel(typed(11, new Uint8Array(16))).weights.get('w')?.shape).toEqual([1, 2]);
  });

  test('a scalar, and an array without values', () => {
    expect(
      valuesOf(
        withTensor((tensor) =>
          tensor
            .integer(2, 1)
            .text(8, 'w')
            .bytes(9, floats([4])),
        ),
      ),
    ).toEqual([4]);
    expect(valuesOf(withTensor((tensor) => tensor.integer(1, 0).integer(2, 1).text(8, 'w')))).toEqual([]);
  });

  test.each<[string, (tensor: WireWriter) => WireWriter, string]>([
    [
      'values in another file',
      (tensor) => tensor.integer(1, 2).integer(2, 1).text(8, 'w').integer(14, 1),
      'the values of initialiser `w` lie in another file',
    ],
    [
      'too few values',
      (tensor) =>
        tensor
          .integer(1, 2)
          .integer(2, 1)
          .text(8, 'w')
          .bytes(9, floats([1])),
      'initialiser `w` has 4 bytes; its shape [2] needs 8',
    ],
    ['a negative size', (tensor) => tensor.integer(1, -2).integer(2, 1).text(8, 'w'), 'initialiser `w` has shape [-2]'],
    [
      'a size beyond numbers',
      (tensor) =>
        tensor
          .integer(1, 2 ** 40)
          .integer(1, 2 ** 40)
          .integer(2, 1)
          .text(8, 'w'),
      'initialiser `w` has shape [1099511627776, 1099511627776]',
    ],
    [
      'float64 values in double_data',
      (tensor) => tensor.integer(1, 0).integer(2, 11).text(8, 'w'),
      'the values of initialiser `w` are not in raw_data',
    ],
  ])('%s are refused', (_, fill, message) => {
    expect(() => decodeModel(withTensor(fill), 'the weights')).toThrow(
      `the weights is not a usable ONNX file: ${message}`,
    );
  });
});

describe('files that are damaged', () => {
  const bytes = encodeModel(model);
  const expectReadOrRefused = (damaged: Uint8Array): void => {
    try {
      decodeModel(damaged);
    } catch (error) {
      expect(error).toBeInstanceOf(StageError);
    }
  };

  test('no cut and no flipped bit does more than a StageError', () => {
    for (let end = 0; end < bytes.length; end++) expectReadOrRefused(bytes.subarray(0, end));
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expectReadOrRefused(damaged);
    }
  });

  test('neither do any bytes', () => {
    const property = fc.property(fc.uint8Array({maxLength: 200}), expectReadOrRefused);
    expect(fc.check(property).failed).toBe(false);
  });

  test('an empty file has no graph', () => {
    const path = `${temporaryFolder()}/model.onnx`;
    writeFileSync(path, '');
    expect(() => readOnnx(path, 'the weights')).toThrow('the weights is not a usable ONNX file: it has no graph');
    writeFileSync(path, bytes);
    expect(readOnnx(path).inputs).toEqual(['x']);
  });
});
