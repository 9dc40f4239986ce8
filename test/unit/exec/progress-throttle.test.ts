import {expect, test, vi} from 'vitest';
import {createProgressThrottle} from '../../../src/exec/progress-throttle.ts';

test('the first value is sent at once, a burst gives its last value after a tenth of a second', () => {
  vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'performance']});
  const sent: unknown[] = [];
  const throttle = createProgressThrottle((fraction, message) => sent.push([fraction, message]));
  throttle.report(0);
  throttle.report(0.1);
  throttle.report(0.2, 'two');
  expect(sent).toEqual([[0, undefined]]);
  vi.advanceTimersByTime(100);
  expect(sent).toEqual([
    [0, undefined],
    [0.2, 'two'],
  ]);
  vi.advanceTimersByTime(100);
  throttle.report(Number.NaN);
  throttle.report(7);
  throttle.dispose();
  vi.advanceTimersByTime(1000);
  expect(sent.slice(2)).toEqual([[0, undefined]]);
  vi.useRealTimers();
});
