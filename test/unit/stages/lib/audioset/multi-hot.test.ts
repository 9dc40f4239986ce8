import fc from 'fast-check';
import {expect, test} from 'vitest';
import {eachClass, multiHotBytes, setClasses} from '../../../../../stages/lib/audioset/multi-hot.ts';

test('packs as numpy.packbits does', () => {
  // numpy 1.24.2: y = np.zeros(12, np.uint8); y[[0, 3, 9, 11]] = 1; np.packbits(y)
  const row = new Uint8Array(multiHotBytes(12));
  setClasses(row, [9, 0, 3, 11]);
  expect([...row]).toEqual([144, 80]);
});

test('gives the classes back in rising order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({max: 526}), {maxLength: 30}), (classes) => {
      const row = new Uint8Array(multiHotBytes(527));
      setClasses(row, classes);
      const found: number[] = [];
      eachClass(row, (classIndex) => void found.push(classIndex));
      expect(found).toEqual(classes.toSorted((a, b) => a - b));
    }),
  );
});
