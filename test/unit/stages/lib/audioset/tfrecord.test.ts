import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {readTfRecords} from '../../../../../stages/lib/audioset/tfrecord.ts';
import {encodeTfRecords, frameLength} from '../../../../support/audioset-records.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const file = join(temporaryFolder(), 'a.tfrecord');

/** Number, offset and content of each record; the data is copied, because it is valid for one turn only. */
function read(bytes: Uint8Array): readonly (readonly [number, number, string])[] {
  writeFileSync(file, bytes);
  return Array.from(readTfRecords(file), (record) => [
    record.number,
    record.offset,
    'data' in record ? Buffer.from(record.data).toString() : `broken: ${record.broken}`,
  ]);
}

const one = Buffer.from('one');
const three = Buffer.from('three');
const good = encodeTfRecords(one, Buffer.from('2'), three);

function changed(at: number): Buffer {
  const bytes = Buffer.from(good);
  bytes[at]! ^= 1;
  return bytes;
}

test('reads what was written, also records longer than its buffer', () => {
  const large = Buffer.alloc(3_000_000, 'x');
  const bytes = encodeTfRecords(one, large, Buffer.alloc(0), three);
  const end = 19 + 16 + large.length;
  expect(read(bytes)).toEqual([
    [1, 0, 'one'],
    [2, 19, large.toString()],
    [3, end, ''],
    [4, end + 16, 'three'],
  ]);
  expect(read(new Uint8Array(0))).toEqual([]);
});

test('reads many records over the edges of its buffer', () => {
  const records = Array.from({length: 3000}, (_, i) => Buffer.alloc((i * 37) % 2000, i));
  const found = read(encodeTfRecords(...records));
  expect(found.map(([, , text]) => text)).toEqual(records.map(String));
});

test('loses one record to damaged data', () => {
  const reason = 'broken: its data is damaged (its checksum is 0x';
  const found = read(changed(19 + 12));
  expect(found.map(([number, offset]) => [number, offset])).toEqual([
    [1, 0],
    [2, 19],
    [3, 36],
  ]);
  expect(found[1]?.[2]).toContain(reason);
  expect(found[2]?.[2]).toBe('three');
  expect(read(changed(19 + 13))[1]?.[2]).toContain(reason);
});

test('loses the rest of the file to a damaged length', () => {
  expect(read(changed(19))[1]?.[2]).toMatch(
    /^broken: its length is damaged \(its checksum is 0x[0-9a-f]{8}, the file says 0x[0-9a-f]{8}\); the rest of the file, 38 bytes, is lost$/,
  );
  expect(read(changed(19 + 8))).toHaveLength(2);
});

test('refuses a length that no record has', () => {
  const [[, , absurd] = []] = read(Buffer.concat([frameLength(2 ** 40), good]));
  expect(absurd).toBe(
    `broken: it says it has ${2 ** 40} bytes; 67108864 is the most; the rest of the file, 69 bytes, is lost`,
  );
  const [[, , long] = []] = read(Buffer.concat([frameLength(1000), good]));
  expect(long).toBe('broken: the file is cut: the record needs 1004 more bytes, 57 are there');
});

test('a file cut anywhere but between records ends in a broken one', () => {
  const ends = [0, 19, 36];
  for (let length = 0; length < good.length; length++) {
    const found = read(good.subarray(0, length));
    const whole = found.filter(([, , text]) => !text.startsWith('broken'));
    expect(whole).toHaveLength(ends.filter((end) => end > 0 && end <= length).length);
    expect(found.length - whole.length).toBe(ends.includes(length) ? 0 : 1);
  }
});

test('no change of a byte goes unnoticed', () => {
  fc.assert(
    fc.property(fc.nat({max: good.length - 1}), (at) => {
      expect(read(changed(at)).some(([, , text]) => text.startsWith('broken'))).toBe(true);
    }),
  );
});
