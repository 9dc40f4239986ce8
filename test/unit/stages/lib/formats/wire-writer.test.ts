import fc from 'fast-check';
import {expect, test} from 'vitest';
import {WireReader} from '../../../../../stages/lib/formats/wire-reader.ts';
import {WireWriter} from '../../../../../stages/lib/formats/wire-writer.ts';

const readerOf = (bytes: Uint8Array): WireReader => new WireReader(bytes, (message) => new Error(message));

test('the bytes are those of the protocol buffers encoding guide', () => {
  const bytes = new WireWriter()
    .integer(1, 150)
    .text(2, 'testing')
    .message(3, new WireWriter().integer(1, 150))
    .integer(4, -2)
    .float(5, 1)
    .concat();
  expect(Buffer.from(bytes).toString('hex')).toBe('089601120774657374696e671a0308960120feffffffffffffffff012d0000803f');
});

test('integers read back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeInteger()), (values) => {
      const writer = new WireWriter();
      for (const value of values) writer.integer(7, value);
      const reader = readerOf(writer.concat());
      const found: number[] = [];
      while (reader.next()) found.push(reader.integer('a value'));
      expect(found).toEqual(values);
    }),
  );
});

test('the whole range of an int64 can be written', () => {
  const bytes = (value: bigint): string => Buffer.from(new WireWriter().integer(1, value).concat()).toString('hex');
  expect(bytes(2n ** 63n - 1n)).toBe('08ffffffffffffffff7f');
  expect(bytes(-(2n ** 63n))).toBe('0880808080808080808001');
});

test('messages in messages read back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string({unit: 'grapheme'}), (bytes, text) => {
      const inner = new WireWriter().bytes(1, bytes).text(2, text);
      const reader = readerOf(new WireWriter().message(9, inner).concat());
      expect(reader.next()).toBe(true);
      const outer = reader.enter('the message');
      expect(reader.next()).toBe(true);
      expect([...reader.take('the bytes')]).toEqual([...bytes]);
      expect(reader.next()).toBe(true);
      expect(reader.text('the text')).toBe(text);
      expect(reader.next()).toBe(false);
      reader.leave(outer);
      expect(reader.next()).toBe(false);
    }),
  );
});
