import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {StageError} from 'mixdown/stage';
import {describe, expect, test} from 'vitest';
import {
  decodeNpy,
  encodeNpy,
  readFloat32,
  readNpy,
  readUint8,
  writeNpy,
} from '../../../../../stages/lib/formats/npy.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

function npyText(header: string, dataBytes: number, version = [1, 0]): Uint8Array {
  const bytes = new Uint8Array(10 + header.length + dataBytes);
  bytes.set([0x93, ...Buffer.from('NUMPY'), ...version, header.length & 0xff, header.length >> 8]);
  bytes.set(Buffer.from(header, 'latin1'), 10);
  return bytes;
}

const dict = (descr: string, order: string, shape: string): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

describe('encodeNpy', () => {
  test('writes the bytes that NumPy writes', () => {
    // numpy 2.4.6: np.save(f, np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32))
    const bytes = encodeNpy({shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6)});
    expect(Buffer.from(bytes).toString('latin1')).toBe(
      `\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }${' '.repeat(58)}\n` +
        Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer).toString('latin1'),
    );
  });

  test('refuses a shape that does not fit the data', () => {
    expect(() => encodeNpy({shape: [2, 2], data: new Uint8Array(3)})).toThrow(RangeError);
  });
});

describe('decodeNpy', () => {
  test('gives back what was encoded, for every dtype and any alignment', () => {
    const shapes = fc.array(fc.nat({max: 4}), {maxLength: 4});
    const kinds = fc.constantFrom(Float32Array, Float64Array, Uint8Array, Int32Array);
    fc.assert(
      fc.property(shapes, kinds, fc.nat({max: 7}), (shape, Kind, shift) => {
        const data = new Kind(shape.reduce((a, b) => a * b, 1)).map((_, i) => i * 3);
        const bytes = encodeNpy({shape, data});
        const shifted = new Uint8Array(bytes.length + shift).subarray(shift);
        shifted.set(bytes);
        const back = decodeNpy(shifted);
        expect(back.shape).toEqual(shape);
        expect(back.data).toEqual(data);
      }),
    );
  });

  const good = encodeNpy({shape: [2], data: Float32Array.of(1, 2)});
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'it has 0 bytes, less than a header'],
    ['text', Buffer.from('fname,label\nx,y\n'), 'it does not start with the NumPy magic string'],
    ['a later format', npyText(dict('<f4', 'False', '(0,)'), 0, [2, 0]), 'format 2.0 is not supported, only 1.0'],
    ['a cut header', good.subarray(0, 40), 'the header should end at byte 128, the file ends at 40'],
    ['a header without keys', npyText('{}', 0), 'the header lacks descr, fortran_order or shape'],
    ['Fortran order', npyText(dict('<f4', 'True', '(1, 1)'), 4), 'its values are in Fortran order'],
    ['another dtype', npyText(dict('>f4', 'False', '(1,)'), 4), 'dtype >f4 is not supported'],
    ['cut data', good.subarray(0, 132), 'shape (2,) of <f4 needs 8 bytes, the file has 4'],
    ['trailing bytes', Buffer.concat([good, Buffer.of(0)]), 'shape (2,) of <f4 needs 8 bytes, the file has 9'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeNpy(bytes, 'patches')).toThrow(StageError);
    expect(() => decodeNpy(bytes, 'patches')).toThrow(`patches is not a usable .npy file: ${message}`);
  });
});

test('the typed readers check dtype and rank', () => {
  const path = join(temporaryFolder(), 'x.npy');
  writeNpy(path, {shape: [2, 1], data: Uint8Array.of(1, 255)});
  expect(readUint8(path, 2).data).toEqual(Uint8Array.of(1, 255));
  expect(() => readUint8(path, 1, 'codes')).toThrow('codes has shape (2, 1); 1 axes are needed');
  expect(() => readFloat32(path)).toThrow('the .npy file holds |u1 values; float32 is needed');
  writeFileSync(path, encodeNpy({shape: [], data: Float32Array.of(2)}));
  expect(readFloat32(path, 0)).toEqual({shape: [], data: Float32Array.of(2)});
  expect(readNpy(path).shape).toEqual([]);
});
