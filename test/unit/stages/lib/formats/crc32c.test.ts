import fc from 'fast-check';
import {expect, test} from 'vitest';
import {crc32c, maskedCrc32c} from '../../../../../stages/lib/formats/crc32c.ts';
import {slowCrc32c} from '../../../../support/audioset-records.ts';

const readPdu =
  '01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018 28000000 00000000 02000000 00000000';

// RFC 3720, appendix B.4; the last is the check value of the catalogue of parametrised CRC algorithms.
test.each<[string, Uint8Array, number]>([
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 rising bytes', Uint8Array.from({length: 32}, (_, i) => i), 0x46dd794e],
  ['32 falling bytes', Uint8Array.from({length: 32}, (_, i) => 31 - i), 0x113fdb5c],
  ['an iSCSI read command', Buffer.from(readPdu.replaceAll(' ', ''), 'hex'), 0xd9963a56],
  ['the digits 1 to 9', Buffer.from('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
])('gives the published checksum of %s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test('equals the checksum taken bit by bit, at any length and alignment', () => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 100}), fc.nat({max: 9}), (bytes, from) => {
      expect(crc32c(bytes.subarray(from))).toBe(slowCrc32c(bytes.subarray(from)));
    }),
  );
});

test('masks as TFRecord files do', () => {
  // Length 1507 and its checksum in the first shard of the released balanced training set.
  expect(maskedCrc32c(Buffer.from('e305000000000000', 'hex'))).toBe(0x6aee5df5);
});
