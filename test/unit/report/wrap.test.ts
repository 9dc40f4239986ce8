import fc from 'fast-check';
import {expect, it} from 'vitest';
import {wrap} from '../../../src/report/wrap.ts';

it('breaks lines where they would be too long', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('one two three', 80)).toEqual(['one two three']);
  expect(wrap('/a/long/path and more', 8)).toEqual(['/a/long/path', 'and more']);
  expect(wrap('', 8)).toEqual(['']);
});

it('loses nothing, and only words of their own are too long', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({min: 1, max: 20}), (text, columns) => {
      const lines = wrap(text, columns);
      expect(lines.join(' ')).toBe(text);
      for (const line of lines) if (line.length > columns) expect(line.trim()).not.toContain(' ');
    }),
  );
});
