import {expect, test} from 'vitest';
import {BadClip} from '../../../../../stages/lib/audio/bad-clip.ts';
import {strictly} from '../../../../../stages/lib/codecs/strictly.ts';

const run = (call: () => unknown): Promise<unknown> => strictly('the clip', 'MPEG', call);
const stopped = (what: string): BadClip =>
  new BadClip(`the clip is damaged: the MPEG decoder says: ${what}`, 'fetch or export it again');

test('passes on what a call gives, at once or later', async () => {
  expect(await run(() => 1)).toBe(1);
  expect(await run(() => Promise.resolve(2))).toBe(2);
});

// mpg123 prints the same error again and again and never returns.
test('ends a decoder that complains without end', async () => {
  const endless = (): never => {
    for (;;) console.error('mpg123-decoder: 18 \n too bad');
  };
  await expect(run(endless)).rejects.toThrow(stopped('18 too bad'));
});

test('takes a crash for damage, at once or later', async () => {
  const crash = (): never => {
    throw new Error('memory access out of bounds');
  };
  await expect(run(crash)).rejects.toThrow(stopped('memory access out of bounds'));
  await expect(run(() => Promise.reject(new Error('later')))).rejects.toThrow(stopped('later'));
});

test('a lack of memory is not the clip’s fault', async () => {
  const lack = new RangeError('Array buffer allocation failed');
  await expect(run(() => Promise.reject(lack))).rejects.toBe(lack);
});

test('gives the console back', async () => {
  const own = console.error;
  await expect(run(() => console.error('oh'))).rejects.toThrow(stopped('oh'));
  expect(console.error).toBe(own);
  const later = run(() => Promise.resolve());
  expect(console.error).toBe(own);
  await later;
});
