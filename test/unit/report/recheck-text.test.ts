import {expect, test} from 'vitest';
import {recheckText} from '../../../src/report/recheck-text.ts';

const none = {taken: 240, agreed: 0, differed: 0, undecided: 0, failed: 0, tooLong: 0};

test.each([
  [none, '0 of 240 results of others made again'],
  [{...none, agreed: 3}, '3 of 240 results of others made again: all agree'],
  [{...none, taken: 1, agreed: 1}, '1 of 1 result of others made again: all agree'],
  [{...none, agreed: 2, differed: 1}, '3 of 240 results of others made again: 1 wrong, 2 agree'],
  [{...none, agreed: 2, failed: 1}, '2 of 240 results of others made again: all agree, 1 could not be made here'],
  [
    {...none, differed: 1, undecided: 2, agreed: 3, failed: 4, tooLong: 5},
    '6 of 240 results of others made again: 1 wrong, 2 cannot be told, 3 agree, 4 could not be made here, ' +
      '5 passed over since they take long',
  ],
])('%o', (counts, text) => {
  expect(recheckText(counts)).toBe(text);
});
