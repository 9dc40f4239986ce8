import {expect, it} from 'vitest';
import {failure} from '../../../src/core/failure.ts';
import {unexpected} from '../../../src/engine/unexpected.ts';

it('a list that is longer than any text is no bug, and says what to do', () => {
  let problem: unknown;
  try {
    'x'.padEnd(2 ** 30);
  } catch (error) {
    problem = error;
  }
  const tooLarge = {code: 'too-large', node: 'n', hint: expect.stringContaining('Divide the collection')};
  expect(unexpected(problem, 'n')).toMatchObject(tooLarge);
  const longerThanRead = Object.assign(new Error('Cannot create a string'), {code: 'ERR_STRING_TOO_LONG'});
  expect(unexpected(longerThanRead, 'n')).toMatchObject(tooLarge);
});

it('any other throw is, unless it carries a failure', () => {
  expect(unexpected(new RangeError('Invalid array length'), 'n')).toMatchObject({code: 'internal-error', node: 'n'});
  const full = Object.assign(new Error('x'), {failure: failure('disk-full', 'no space')});
  expect(unexpected(full, 'n')).toMatchObject({code: 'disk-full', node: 'n'});
});
