import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {StageError} from 'mixdown/stage';
import {describe, expect, test} from 'vitest';
import {readSafeTensors, writeSafeTensors} from '../../../../../stages/lib/formats/safetensors.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const tensors = new Map([
  ['b/weights', {shape: [2, 2], data: Float32Array.of(1, 2, 3, 4)}],
  ['a', {shape: [1], data: Float32Array.of(-0.5)}],
  ['empty', {shape: [0, 3], data: new Float32Array(0)}],
]);

function written(): {path: string; bytes: Buffer} {
  const path = join(temporaryFolder(), 'x.safetensors');
  writeSafeTensors(path, tensors, {z: '1', a: 'b'});
  return {path, bytes: readFileSync(path)};
}

/** A file with this header and this many bytes of values. */
function fileWith(header: string, valueBytes: number): string {
  const path = join(temporaryFolder(), 'x.safetensors');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, Buffer.from(header), Buffer.alloc(valueBytes)]));
  return path;
}

describe('writeSafeTensors', () => {
  test('writes the documented layout, sorted by name', () => {
    const {bytes} = written();
    const headerBytes = Number(bytes.readBigUInt64LE(0));
    expect(headerBytes % 8).toBe(0);
    expect(JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes))).toEqual({
      __metadata__: {a: 'b', z: '1'},
      a: {dtype: 'F32', shape: [1], data_offsets: [0, 4]},
      'b/weights': {dtype: 'F32', shape: [2, 2], data_offsets: [4, 20]},
      empty: {dtype: 'F32', shape: [0, 3], data_offsets: [20, 20]},
    });
    expect(bytes.readFloatLE(8 + headerBytes)).toBe(-0.5);
    expect(bytes.length).toBe(8 + headerBytes + 20);
  });

  test('refuses values that do not fit the shape', () => {
    const wrong = new Map([['a', {shape: [3], data: new Float32Array(2)}]]);
    expect(() => writeSafeTensors(join(temporaryFolder(), 'x'), wrong)).toThrow(RangeError);
  });
});

describe('readSafeTensors', () => {
  test('reads what was written', () => {
    const {tensors: read, metadata} = readSafeTensors(written().path);
    expect(new Map(read)).toEqual(tensors);
    expect(metadata).toEqual({a: 'b', z: '1'});
  });

  test('refuses every file that is cut short', () => {
    const {path, bytes} = written();
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(() => readSafeTensors(path)).toThrow(StageError);
    }
  });

  test.each([
    ['another type', '{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}', /a holds F16 values/],
    ['offsets that do not fit', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', /do not fit its shape \[2\]/],
    ['no shape', '{"a":{"dtype":"F32"}}', /the entry of a lacks/],
    ['a list', '[]', /header is not a JSON object/],
  ])('refuses %s', (_what, header, message) => {
    expect(() => readSafeTensors(fileWith(header, 4), 'the weights')).toThrow(message);
  });
});
