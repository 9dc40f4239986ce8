import fc from 'fast-check';
import {expect, test} from 'vitest';
import {folderName} from '../../../src/exec/folder-name.ts';

test('people recognise the node', () => {
  expect(folderName('train')).toBe('train');
  expect(folderName('train[fold=2,levels=h1+h3]')).toBe('train.fold=2,levels=h1+h3');
  expect(folderName('log-mel@clips/a b.wav')).toMatch(/^log-mel@clips_a_b\.wav-[0-9a-f]{8}$/);
});

test('any text gives a plain, short name', () => {
  fc.assert(
    fc.property(fc.string({unit: 'grapheme'}), (id) => {
      const name = folderName(id);
      expect(name).toMatch(/^[\w=,+@-][\w.=,+@-]*$/);
      expect(name.length).toBeLessThan(120);
    }),
  );
});

test('different nodes have different names', () => {
  expect(folderName('a[x="1/2"]')).not.toBe(folderName('a[x="1_2"]'));
  expect(folderName(`a${'b'.repeat(200)}1`)).not.toBe(folderName(`a${'b'.repeat(200)}2`));
});
