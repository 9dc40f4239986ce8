import {describe, expect, test} from 'vitest';
import {arrayText, readArrayHeader} from '../../../src/report/array-header.ts';

/** As numpy.save writes it: magic, version 1.0, length of the header, header. */
function head(header: string): Uint8Array {
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.from([header.length, 0]),
    Buffer.from(header),
  ]);
}

describe('the header of an .npy file', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['<f4', '(114, 96, 64)', 'float32 (114, 96, 64)'],
    ['|u1', '(0, 6, 128)', 'uint8 (0, 6, 128)'],
    ['<i4', '(7,)', 'int32 (7,)'],
    ['<f8', '()', 'float64 ()'],
    ['|b1', '(2, 3)', 'bool (2, 3)'],
    ['<U12', '(2,)', '<U12 (2,)'],
  ];
  test.each(cases)('%s %s', (descr, shape, text) => {
    const header = readArrayHeader(head(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }   \n`));
    expect(header && arrayText(header)).toBe(text);
  });

  test.each(['', 'row,key\n', '\x93NUMPY\x01\x00', 'RIFF'])('%j is none', (text) => {
    expect(readArrayHeader(Buffer.from(text, 'latin1'))).toBeUndefined();
  });
});
