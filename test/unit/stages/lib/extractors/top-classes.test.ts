import {writeFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {readClassMap, scoreMeans, topClasses} from '../../../../../stages/lib/extractors/top-classes.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

function classMap(text: string): readonly string[] {
  const path = `${temporaryFolder()}/classes.csv`;
  writeFileSync(path, text);
  return readClassMap(path, 3);
}

test('the classes are in the order of their index', () => {
  const text = 'index,mid,display_name\r\n2,/m/c,Cello\r\n0,/m/a,"Child speech, kid speaking"\r\n1,/m/b,Bark\r\n';
  expect(classMap(text)).toEqual(['Child speech, kid speaking', 'Bark', 'Cello']);
});

test.each([
  ['index,display_name\n0,a\n1,b\n', 'the class map has no class 2; 3 are expected'],
  ['index,display_name\n0,a\n0,b\n', 'the class map, line 3: index `0`; 0 to 2, each once, is expected'],
  ['index,display_name\n3,a\n', 'the class map, line 2: index `3`; 0 to 2, each once, is expected'],
  ['index,display_name\n-1,a\n', 'the class map, line 2: index `-1`; 0 to 2, each once, is expected'],
  ['mid,display_name\n/m/a,a\n', 'no column `index`'],
])('%j is refused', (text, message) => {
  expect(() => classMap(text)).toThrow(message);
});

test('means over parts, and the highest of them', () => {
  const means = scoreMeans(3);
  expect(means.rows).toBe(0);
  means.add(Float32Array.of(0, 0.5, 1, 0, 0.5, 0.25));
  means.add(Float32Array.of(0.75, 0.5, 0.25));
  expect(means.rows).toBe(3);
  expect([...means.values()]).toEqual([0.25, 0.5, 0.5]);
  expect(topClasses(['a', 'b', 'c'], means.values(), 2)).toBe('b 0.500, c 0.500');
  expect(topClasses(['a', 'b', 'c'], means.values(), 9)).toBe('b 0.500, c 0.500, a 0.250');
});
