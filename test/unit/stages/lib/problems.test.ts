import {StageError} from 'mixdown/stage';
import {expect, test} from 'vitest';
import {gatherProblems} from '../../../../stages/lib/problems.ts';

function messageOf(texts: readonly (readonly [text: string, hint?: string])[]): {message: string; hint?: string} {
  const problems = gatherProblems('the table');
  for (const [text, hint] of texts) problems.add(text, hint);
  try {
    problems.check();
  } catch (error) {
    if (error instanceof StageError) return {message: error.message, ...(error.hint && {hint: error.hint})};
  }
  return {message: ''};
}

test('no problem throws nothing, one is said as it is', () => {
  expect(messageOf([])).toEqual({message: ''});
  expect(messageOf([['line 2: label is empty', 'fill it in']])).toEqual({
    message: 'line 2: label is empty',
    hint: 'fill it in',
  });
});

test('several are listed in order, ten at most', () => {
  expect(messageOf([['b', 'do c'], ['a']]).message).toBe('2 problems with the table\n  - b; do c\n  - a');
  const many = Array.from({length: 14}, (_, i): [string] => [`line ${i + 2}: label is empty`]);
  const listed = many.slice(0, 10).map(([text]) => `\n  - ${text}`);
  expect(messageOf(many).message).toBe(`14 problems with the table${listed.join('')}\n  and 4 more`);
});

test('a fault in every row does not hide another', () => {
  const many = Array.from({length: 500}, (_, i): [string] => [`line ${i + 2}: fold is \`${i}\``]);
  const lines = messageOf([...many, ['line 502: label is empty']]).message.split('\n');
  expect(lines.slice(1)).toEqual([
    ...many.slice(0, 9).map(([text]) => `  - ${text}`),
    '  - line 502: label is empty',
    '  and 491 more',
  ]);
});
