import fc from 'fast-check';
import {expect, test} from 'vitest';
import {createLineReader, endMark, logMark} from '../../../src/exec/line-reader.ts';

const token = 'token';

function read(chunks: readonly (string | Uint8Array)[]): unknown[] {
  const seen: unknown[] = [];
  const reader = createLineReader(
    {lines: (text, marked) => seen.push(marked ? ['log', text] : text), end: (job) => seen.push(job)},
    token,
  );
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  reader.finish();
  return seen;
}

test('lines that come together are told together, half lines wait for their end', () => {
  expect(read(['a\nb\nc', 'd\n', 'e'])).toEqual(['a\nb', 'cd', 'e']);
});

test('marks are told from text, also in the middle of a line', () => {
  expect(read([`a\n${logMark(token)}said\nhalf${endMark(token, 12)}next\n`])).toEqual([
    'a',
    ['log', 'said'],
    'half',
    12,
    'next',
  ]);
});

test('any cutting of the bytes gives the same lines', () => {
  const text = Buffer.from(`ä€😀\n${logMark(token)}größe\nrest${endMark(token, 3)}`);
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), {maxLength: 8}), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), text.length];
      const chunks = at.slice(1).map((end, index) => text.subarray(at[index], end));
      expect(read(chunks)).toEqual(['ä€😀', ['log', 'größe'], 'rest', 3]);
    }),
  );
});

test('a carriage return overwrites, as on a terminal', () => {
  expect(read(['10%\r20%\r\nwindows\r\n'])).toEqual(['20%\nwindows']);
});

test('a line without end is cut, but not inside a mark', () => {
  const long = 'x'.repeat(70_000);
  const mark = endMark(token, 5);
  expect(read([long + mark.slice(0, 4), mark.slice(4)])).toEqual([long, 5]);
  expect(read(['\0'.repeat(200_000)]).join('')).toHaveLength(200_000);
});
