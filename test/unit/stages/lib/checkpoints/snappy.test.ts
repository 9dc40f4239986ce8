import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {unpackSnappy} from '../../../../../stages/lib/checkpoints/snappy.ts';
import {packSnappy} from '../../../../support/tensorflow-checkpoint.ts';

const unpackHex = (hex: string): string | undefined => {
  const unpacked = unpackSnappy(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  return unpacked && Buffer.from(unpacked).toString();
};

describe('unpackSnappy', () => {
  // Written by hand after the format's description: a length, then literals and copies.
  test.each([
    ['nothing', '00', ''],
    ['a literal', '03 08 616263', 'abc'],
    ['a literal whose length takes a byte', `3d f03c ${'61'.repeat(61)}`, 'a'.repeat(61)],
    ['a literal whose length takes two bytes', `3d f43c00 ${'61'.repeat(61)}`, 'a'.repeat(61)],
    ['a copy of one byte of offset, over itself', '09 00 61 1101', 'aaaaaaaaa'],
    ['a copy of two bytes of offset', '06 08 616263 0a0300', 'abcabc'],
    ['a copy of four bytes of offset', '06 08 616263 0b03000000', 'abcabc'],
  ])('%s', (_what, hex, text) => {
    expect(unpackHex(hex)).toBe(text);
  });

  test.each([
    ['without a length', ''],
    ['with a length of more than 32 bits', 'ffffffff7f 00'],
    ['that claims more than it can hold', 'ffffffff0f 08616263'],
    ['that ends in a literal', '03 08 6162'],
    ['that ends in a copy', '06 08 616263 0a03'],
    ['that copies from before its start', '06 08 616263 0a0400'],
    ['that copies from nowhere', '06 08 616263 0a0000'],
    ['longer than it says', '02 08 616263'],
    ['shorter than it says', '04 08 616263'],
    ['whose copy is longer than it says', '05 08 616263 0a0300'],
  ])('refuses data %s', (_what, hex) => {
    expect(unpackHex(hex)).toBeUndefined();
  });

  test('gives back what was packed', () => {
    const content = fc.array(fc.constantFrom(0, 1, 2, 97), {maxLength: 4000}).map((bytes) => Uint8Array.from(bytes));
    fc.assert(
      fc.property(content, (bytes) => {
        expect(Buffer.from(unpackSnappy(packSnappy(bytes)) ?? [9])).toEqual(Buffer.from(bytes));
      }),
    );
  });
});
