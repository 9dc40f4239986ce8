import {expect, test} from 'vitest';
import {lineCount} from '../../../src/page/model/line-count.ts';

test.each([
  ['', 1],
  ['7', 1],
  ['7\n', 1],
  ['4\n4\n4\n', 3],
  ['4\r\n4\r\n', 2],
  ['4\n\n', 2],
])('%j has %i', (text, lines) => expect(lineCount(text)).toBe(lines));
