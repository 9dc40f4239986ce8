import {join} from 'node:path';
import {writeFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {encodeNpy, encodeNpyHeader} from '../../../../../stages/lib/formats/npy.ts';
import {openVectorFile, type VectorFormat} from '../../../../../stages/lib/formats/vector-file.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const values = [0, 1, -2, 0.5, 3, 128];

function open(content: Uint8Array, format: VectorFormat = 'npy', width = 0) {
  const path = join(temporaryFolder(), 'vectors');
  writeFileSync(path, content);
  return openVectorFile(path, format, width, 'the vectors');
}

function contentOf(content: Uint8Array, format?: VectorFormat, width?: number) {
  const file = open(content, format, width);
  try {
    const {rows, vectors} = file;
    return {rows, vectors, width: file.width, all: [...file.read(0, rows)], last: [...file.read(rows - 1, 1)]};
  } finally {
    file.close();
  }
}

/** A .npy file of a type that encodeNpy does not write; both names of a type have three characters. */
function npyOf(type: string, shape: readonly number[], bytes: Uint8Array): Uint8Array {
  const header = Buffer.from(encodeNpyHeader('<f4', shape)).toString('latin1').replace('<f4', type);
  return Buffer.concat([Buffer.from(header, 'latin1'), bytes]);
}

describe('openVectorFile', () => {
  const read = {rows: 3, vectors: 1, width: 2, all: values, last: [3, 128]};

  test('reads .npy files of floats of 16, 32 and 64 bits as float32, and of bytes', () => {
    expect(contentOf(encodeNpy({shape: [3, 2], data: Float32Array.from(values)}))).toEqual(read);
    expect(contentOf(encodeNpy({shape: [3, 2], data: Float64Array.from(values)}))).toEqual(read);
    const halves = Uint16Array.of(0, 0x3c00, 0xc000, 0x3800, 0x4200, 0x5800);
    expect(contentOf(npyOf('<f2', [3, 2], new Uint8Array(halves.buffer)))).toEqual(read);
    const bytes = open(encodeNpy({shape: [3, 2], data: Uint8Array.of(0, 1, 2, 3, 254, 255)}));
    expect(bytes.read(1, 2)).toEqual(Uint8Array.of(2, 3, 254, 255));
    bytes.close();
  });

  test('a third axis is several vectors a row', () => {
    const data = Float32Array.from(values);
    expect(contentOf(encodeNpy({shape: [1, 3, 2], data}))).toMatchObject({rows: 1, vectors: 3, width: 2, last: values});
  });

  test('reads values without a header by their width', () => {
    expect(contentOf(new Uint8Array(Float32Array.from(values).buffer), 'float32', 2)).toEqual(read);
    expect(contentOf(Uint8Array.of(7, 8, 9, 10), 'uint8', 2)).toMatchObject({rows: 2, width: 2, last: [9, 10]});
  });

  test.each<readonly [string, Uint8Array, VectorFormat, number, string]>([
    ['no .npy file', Uint8Array.of(1, 2, 3), 'npy', 0, 'the vectors are no .npy file'],
    ['an empty file', new Uint8Array(0), 'npy', 0, 'the vectors are no .npy file'],
    [
      'a .npy file as raw',
      encodeNpy({shape: [1, 2], data: new Uint8Array(2)}),
      'uint8',
      2,
      'the vectors are a .npy file',
    ],
    ['raw without a width', new Uint8Array(4), 'uint8', 0, 'the vectors have no header that tells their width'],
    [
      'a raw file cut short',
      new Uint8Array(15),
      'float32',
      2,
      'the vectors have 15 bytes, which is no whole number of vectors of 2 float32 values',
    ],
    [
      'a .npy file cut short',
      encodeNpy({shape: [3, 2], data: new Float32Array(6)}).subarray(0, -1),
      'npy',
      0,
      'the vectors have shape [3, 2], which needs 24 bytes; the file has 23',
    ],
    [
      'another width',
      encodeNpy({shape: [3, 2], data: new Float32Array(6)}),
      'npy',
      128,
      'the vectors hold vectors of 2 values; the param width is 128',
    ],
    [
      'one axis',
      encodeNpy({shape: [6], data: new Float32Array(6)}),
      'npy',
      0,
      'the vectors have shape [6]; (clips, width) or (clips, vectors, width) is needed',
    ],
    ['no values', encodeNpy({shape: [3, 0], data: new Float32Array(0)}), 'npy', 0, 'there are no values in a row'],
    ['integers', encodeNpy({shape: [1, 2], data: new Int32Array(2)}), 'npy', 0, 'hold values of type <i4'],
    [
      'Fortran order',
      Buffer.from(
        Buffer.from(encodeNpy({shape: [1, 2], data: new Uint8Array(2)}))
          .toString('latin1')
          .replace('False', 'True '),
        'latin1',
      ),
      'npy',
      0,
      'the vectors lie in Fortran order',
    ],
  ])('refuses %s', (_, content, format, width, message) => {
    expect(() => open(content, format, width)).toThrow(message);
  });
});
