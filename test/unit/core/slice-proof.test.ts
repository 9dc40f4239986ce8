import {expect, it} from 'vitest';
import {sliceFingerprinter, type Action, type SliceRecord} from '../../../src/core/action.ts';
import {digestOf, type Digest} from '../../../src/core/digest.ts';
import {sliceSeed} from '../../../src/core/seed.ts';
import {isListOf} from '../../../src/core/slice-proof.ts';
import {assembleSlices} from '../../../src/core/slice.ts';
import {makeTree, type Tree} from '../../../src/core/tree.ts';
import {anAction} from '../../support/store-records.ts';

const audio = makeTree(['a.wav', 'b.wav'].map((path) => ({path, digest: digestOf(path)})));
const labels = makeTree(['a.txt', 'b.txt', 'c.txt'].map((path) => ({path, digest: digestOf(path)})));
const action: Action = anAction({
  seed: 7,
  each: ['audio', 'label'],
  inputs: {audio: audio.artifact.digest, label: labels.artifact.digest},
  outputs: {out: {kind: 'file', name: 'out.csv'}},
});
const fingerprintOf = sliceFingerprinter(action);
const sliceOf = (key: string): SliceRecord => {
  const items = [digestOf(`${key}.wav`), digestOf(`${key}.txt`)];
  const fingerprint = fingerprintOf(items, sliceSeed(7, key));
  return {key, item: items[0]!, fingerprint, outputs: {out: digestOf(`made of ${key}`)}, wallMs: 1};
};
const slices = [sliceOf('a'), sliceOf('b')];
const noTree = (): never => expect.unreachable();
const made = assembleSlices(action.outputs, slices, noTree);
if (!made.ok) throw new Error('the slices clash');
const result = {action, outputs: {out: made.value['out']!.artifact}};
const isList = (list: readonly SliceRecord[], collections?: readonly Tree[], about = result): boolean =>
  isListOf(about, list, collections, noTree);
const both = [audio.tree, labels.tree];
const other: Digest = digestOf('other');

it('is shown by collections that are joined', () => {
  expect(isList(slices, both)).toBe(true);
});

it('is not shown where something else is said', () => {
  const [a, b] = slices as [SliceRecord, SliceRecord];
  expect(isList([a], both)).toBe(false);
  expect(isList([a, {...b, fingerprint: a.fingerprint}], both)).toBe(false);
  expect(isList([a, {...b, key: 'c'}], both)).toBe(false);
  expect(isList([a, {...b, outputs: {out: other}}], both)).toBe(false);
  expect(isList(slices, [labels.tree, audio.tree])).toBe(false);
  expect(isList(slices, both, {...result, outputs: {out: {...result.outputs.out, digest: other}}})).toBe(false);
});

it('is not shown without the items of all collections', () => {
  expect(isList(slices)).toBe(false);
});
