import fc from 'fast-check';
import {expect, test} from 'vitest';
import {IdIndex} from '../../../../../stages/lib/audioset/id-index.ts';

test('numbers distinct ids in their order, as a Map does', () => {
  const ids = fc.array(fc.string({unit: fc.constantFrom('a', 'b', '-', '_', 'Z', '0'), maxLength: 3}), {
    maxLength: 400,
    size: 'max',
  });
  fc.assert(
    fc.property(ids, (list) => {
      const index = new IdIndex();
      const map = new Map<string, number>();
      for (const id of list) {
        expect(index.add(id)).toBe(!map.has(id));
        if (!map.has(id)) map.set(id, map.size);
      }
      expect(index.size).toBe(map.size);
      expect([...index]).toEqual([...map.keys()]);
      for (const [id, number] of map) expect(index.find(id)).toBe(number);
      for (const id of ['aaaa', 'c', 'ā']) expect(index.find(id)).toBe(-1);
    }),
  );
});

test('holds many ids, and long ones', () => {
  const index = new IdIndex();
  const ids = Array.from({length: 50_000}, (_, i) => (i * 2_654_435_761).toString(36).padStart(11, '-'));
  for (const id of ids) expect(index.add(id)).toBe(true);
  expect(ids.every((id, i) => index.find(id) === i)).toBe(true);
  const long = 'x'.repeat(5_000_000);
  expect([index.add(long), index.add(long), index.find(long)]).toEqual([true, false, 50_000]);
});
