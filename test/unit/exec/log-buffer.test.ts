import {expect, test} from 'vitest';
import {createLogBuffer} from '../../../src/exec/log-buffer.ts';

test('a small log is kept whole', () => {
  const log = createLogBuffer(100);
  log.add('a\nb');
  log.add('c');
  expect(log.text()).toBe('a\nb\nc\n');
  expect(log.lastLines(2)).toEqual(['b', 'c']);
});

test('of a large log the beginning and the end are kept, and the gap is counted', () => {
  const log = createLogBuffer(20);
  const all = Array.from({length: 100}, (_, index) => `line ${index}`);
  for (const line of all) log.add(line);
  const text = log.text();
  expect(text).toMatch(/^line 0\nlin\n\.\.\. (\d+) characters left out \.\.\.\n.*line 99\n$/s);
  const dropped = Number(/(\d+) characters/.exec(text)?.[1]);
  const kept = text.replace(/\n\.\.\..*\.\.\.\n/, '').length;
  expect(dropped + kept).toBe(all.join('\n').length + 1);
  expect(log.lastLines(1)).toEqual(['line 99']);
});

test('one huge line keeps its end', () => {
  const log = createLogBuffer(20);
  log.add(`${'x'.repeat(1000)}end`);
  expect(log.text()).toMatch(/^x{10}\n\.\.\. 984 characters left out \.\.\.\nx{6}end\n$/);
});

test('an empty log has no lines', () => {
  expect(createLogBuffer().lastLines(5)).toEqual([]);
  expect(createLogBuffer().text()).toBe('');
});
