import {describe, expect, it} from 'vitest';
import {digestOf} from '../../../src/core/digest.ts';
import {assembleSlices, itemKey, slicePath} from '../../../src/core/slice.ts';
import {parseTree} from '../../../src/core/tree.ts';

describe('itemKey', () => {
  it.each([
    ['a.wav', 'a'],
    ['Bark/a.wav', 'Bark/a'],
    ['a', 'a'],
    ['a.tar.gz', 'a.tar'],
    ['v1.2/a', 'v1.2/a'],
    ['.hidden', '.hidden'],
    ['Bark/.hidden', 'Bark/.hidden'],
    ['Bark/.hidden.wav', 'Bark/.hidden'],
    ['a.', 'a'],
  ])('of %s is %s', (path, key) => {
    expect(itemKey(path)).toBe(key);
  });
});

describe('slicePath', () => {
  it.each([
    ['patches.npy', 'Bark/a.npy'],
    ['a.tar.gz', 'Bark/a.gz'],
    ['patches', 'Bark/a'],
    ['.npy', 'Bark/a'],
  ])('with an output named %s is %s', (name, path) => {
    expect(slicePath('Bark/a', {kind: 'file', name})).toBe(path);
  });
});

describe('assembleSlices', () => {
  const outputs = {wave: {kind: 'file', name: 'wave.wav'}, log: {kind: 'file', name: 'log.txt'}} as const;

  it('makes one tree for each output, in the order of paths', () => {
    const made = assembleSlices(outputs, [
      {key: 'b', outputs: {wave: digestOf('bw'), log: digestOf('bl')}},
      {key: 'a', outputs: {wave: digestOf('aw'), log: digestOf('al')}},
    ]);
    expect(made['wave']?.tree.entries).toEqual([
      {path: 'a.wav', digest: digestOf('aw')},
      {path: 'b.wav', digest: digestOf('bw')},
    ]);
    expect(made['log']?.artifact).toMatchObject({kind: 'tree', files: 2, bytes: 4});
    expect(parseTree(made['log']?.text ?? '')).toEqual(made['log']?.tree);
  });

  it('makes empty trees of no slices and refuses a slice without an output', () => {
    expect(assembleSlices(outputs, [])['wave']?.tree.entries).toEqual([]);
    expect(() => assembleSlices(outputs, [{key: 'a', outputs: {wave: digestOf('')}}])).toThrow(
      'slice a has no output log',
    );
  });
});
