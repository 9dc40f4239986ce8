import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {BadRecord} from '../../../../../stages/lib/audioset/bad-record.ts';
import {decodeSequenceExample} from '../../../../../stages/lib/audioset/sequence-example.ts';
import {
  bytesFeature,
  encodeClip,
  field,
  float32,
  floatFeature,
  int64Feature,
  sequenceExample,
  varint,
} from '../../../../support/audioset-records.ts';

/** The feature of a record with this one only. */
const decodeFeature = (feature: Uint8Array) =>
  decodeSequenceExample(sequenceExample({x: feature}, {})).context.get('x');

describe('decodeSequenceExample', () => {
  test('reads features of every kind and lists over time', () => {
    const {context, featureLists} = decodeSequenceExample(
      sequenceExample(
        {
          bytes: bytesFeature(Buffer.from('ab'), Buffer.from('')),
          float: floatFeature(1.5, -2),
          int64: int64Feature(0, 300, -1),
          none: Buffer.alloc(0),
        },
        {list: [int64Feature(1), bytesFeature(Buffer.from('c'))], empty: []},
      ),
    );
    expect(Object.fromEntries(context)).toEqual({
      bytes: {kind: 'bytes', values: [new Uint8Array(Buffer.from('ab')), new Uint8Array(0)]},
      float: {kind: 'float', values: [1.5, -2]},
      int64: {kind: 'int64', values: [0, 300, -1]},
      none: {kind: 'none'},
    });
    expect(featureLists.get('list')).toEqual([
      {kind: 'int64', values: [1]},
      {kind: 'bytes', values: [new Uint8Array(Buffer.from('c'))]},
    ]);
    expect(featureLists.get('empty')).toEqual([]);
    expect(decodeSequenceExample(new Uint8Array(0)).context.size).toBe(0);
  });

  test('reads numbers that are not packed, and both kinds in one list', () => {
    const single = Buffer.concat([varint(8), varint(7), field(1, varint(8)), varint(8), varint(9)]);
    expect(decodeFeature(field(3, single))).toEqual({kind: 'int64', values: [7, 8, 9]});
    const floats = Buffer.concat([varint(8 + 5), float32(0.5), field(1, float32(0.25))]);
    expect(decodeFeature(field(2, floats))).toEqual({kind: 'float', values: [0.5, 0.25]});
  });

  test('passes over fields that it does not know, at every level', () => {
    const unknown = Buffer.concat([
      field(15, Buffer.from('text')),
      varint(16 * 8),
      varint(2n ** 64n - 1n),
      varint(17 * 8 + 1),
      Buffer.alloc(8),
      varint(200 * 8 + 5),
      Buffer.alloc(4),
    ]);
    const around = (content: Uint8Array): Buffer => Buffer.concat([unknown, content, unknown]);
    const feature = around(field(3, around(field(1, varint(5)))));
    const entry = field(1, around(Buffer.concat([field(1, Buffer.from('x')), field(2, feature)])));
    const data = around(field(1, around(entry)));
    expect(decodeSequenceExample(data).context.get('x')).toEqual({kind: 'int64', values: [5]});
  });

  test('joins messages in parts; the last of two equal keys and of two kinds counts', () => {
    const first = sequenceExample({a: int64Feature(1), b: int64Feature(2)}, {});
    const second = sequenceExample({b: floatFeature(3)}, {});
    expect(Object.fromEntries(decodeSequenceExample(Buffer.concat([first, second])).context)).toEqual({
      a: {kind: 'int64', values: [1]},
      b: {kind: 'float', values: [3]},
    });
    expect(decodeFeature(Buffer.concat([int64Feature(1), int64Feature(2)]))).toEqual({kind: 'int64', values: [1, 2]});
    expect(decodeFeature(Buffer.concat([int64Feature(1), floatFeature(2)]))).toEqual({kind: 'float', values: [2]});
  });

  test('reads every int64 that is an exact number', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), (values) => {
        expect(decodeFeature(int64Feature(...values))).toEqual({kind: 'int64', values});
      }),
    );
    const edges = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 32, -(2 ** 32), 2 ** 31, 2 ** 35 - 1];
    expect(decodeFeature(int64Feature(...edges))).toEqual({kind: 'int64', values: edges});
  });

  test.each<[string, Uint8Array, string]>([
    ['an int64 above 2^53 - 1', int64Feature(2n ** 53n), 'x holds 0x20000000000000, beyond 2^53 - 1'],
    ['an int64 below -(2^53 - 1)', int64Feature(-(2n ** 53n)), 'beyond 2^53 - 1'],
    ['a number of 65 bits', field(3, field(1, Buffer.from('ffffffffffffffffff02', 'hex'))), 'more than 64 bits'],
    ['an endless number', field(3, field(1, Buffer.alloc(11, 0xff))), 'more than 64 bits'],
    ['a tag at its end', Buffer.of(10), 'the length of x is cut'],
    ['half a float', field(2, field(1, Buffer.alloc(6))), 'x is cut'],
    ['a float as a number', field(2, Buffer.concat([varint(8), varint(1)])), 'x has wire type 0; 2 is needed'],
    ['an int64 as a float', field(3, Buffer.concat([varint(8 + 5), float32(1)])), 'x has wire type 5; 2 is needed'],
    ['bytes as a number', field(1, Buffer.concat([varint(8), varint(1)])), 'x has wire type 0; 2 is needed'],
    ['a kind that is no message', Buffer.concat([varint(3 * 8), varint(1)]), 'x has wire type 0; 2 is needed'],
    [
      'a group',
      Buffer.concat([varint(9 * 8 + 3), varint(9 * 8 + 4)]),
      'field 9 has wire type 3, which is not supported',
    ],
    ['field 0', field(0, Buffer.alloc(0)), 'field number 0'],
    ['a field number of 33 bits', field(2 ** 30, Buffer.alloc(0)), 'field number 1073741824'],
    [
      'a length beyond its message',
      Buffer.concat([varint(8 + 2), varint(4), Buffer.alloc(3)]),
      'x says it has 4 bytes, 3 are left',
    ],
  ])('refuses %s', (_, feature, message) => {
    expect(() => decodeFeature(feature)).toThrow(BadRecord);
    expect(() => decodeFeature(feature)).toThrow(message);
  });

  test('says at which byte', () => {
    expect(() => decodeSequenceExample(Buffer.from([0x0a, 0x05, 0x0a]))).toThrow(
      'context says it has 5 bytes, 1 are left (byte 2 of its data)',
    );
  });

  test('any damage is a BadRecord or another content, never another error', () => {
    const good = encodeClip({labels: [1, 2, 3]});
    fc.assert(
      fc.property(
        fc.nat({max: good.length - 1}),
        fc.nat({max: 255}),
        fc.nat({max: good.length}),
        (at, byte, length) => {
          const bytes = Buffer.from(good);
          bytes[at] = byte;
          try {
            decodeSequenceExample(bytes.subarray(0, length));
          } catch (error) {
            expect(error).toBeInstanceOf(BadRecord);
          }
        },
      ),
      {numRuns: 2000},
    );
  });
});
