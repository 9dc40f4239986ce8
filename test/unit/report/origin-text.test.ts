import {expect, test} from 'vitest';
import {distrustedText, originText, viaText, vouchedText} from '../../../src/report/origin-text.ts';

const key = `key:${'0123456789abcdef'.repeat(4)}` as const;

test('who made a result, with all that is known of them', () => {
  expect(originText({voucher: 'namespace:pr-1', namespace: 'pr-1'})).toBe(
    'made by others; from namespace pr-1, not signed',
  );
  const builder = {name: 'ada@lab7', commit: '0123456789abcdef', job: 'https://ci.example.org/7'};
  expect(originText({voucher: key, namespace: 'main', builder, promotedBy: {name: 'ci'}})).toBe(
    'made by ada@lab7 (commit 0123456789ab, https://ci.example.org/7); taken over by ci; ' +
      'from namespace main, signed with key 0123456789ab…',
  );
  expect(viaText(['namespace:a', key])).toBe('slices also by namespace a, key 0123456789ab…');
});

test('who is not trusted, and why', () => {
  expect(vouchedText(key)).toBe('key 0123456789ab…');
  const entry = {voucher: key, builder: {name: 'ci'}, since: 0, node: 'train', why: 'metric \u001b[31mloss differs'};
  expect(distrustedText(entry, 7_200_000)).toBe(
    'not trusted: ci (key 0123456789ab…), found 2 h ago in train: metric loss differs',
  );
  const why = 'train, slice a: output model differs';
  expect(distrustedText({...entry, why}, 7_200_000)).toBe(`not trusted: ci (key 0123456789ab…), found 2 h ago: ${why}`);
});
