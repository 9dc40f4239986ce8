import {expect, it} from 'vitest';
import {indexPage} from '../../../src/page/model/page-index.ts';
import {outputKey, provenanceOf, provenanceText} from '../../../src/page/model/provenance.ts';
import {largePageData, pageData} from '../../support/page-data.ts';

const index = indexPage(pageData());

it('follows an output down to its sources, in steps from first to last', () => {
  const found = provenanceOf(index, 'tables.markdown');
  expect(found?.steps.map(({name, nodes}) => [name, nodes.length])).toEqual([
    ['features', 1],
    ['train', 3],
    ['tables', 1],
  ]);
  expect(found?.sources.map(({name}) => name).toSorted()).toEqual(['clips', 'labels']);
});

it('takes nothing in that the output does not need', () => {
  const found = provenanceOf(index, outputKey('train[fold=1,levels=h1]', 'predictions'));
  expect(found?.steps.flatMap(({nodes}) => nodes.map(({id}) => id))).toEqual(['features', 'train[fold=1,levels=h1]']);
});

it.each(['', 'tables', 'tables.nothing', 'nothing.markdown', '.', 'toString.constructor'])(
  'knows no output %j',
  (key) => {
    expect(provenanceOf(index, key)).toBeUndefined();
  },
);

it('writes the chain with every digest of data and code', () => {
  const found = provenanceOf(index, 'train[fold=1,levels=h1].predictions');
  const text = found === undefined ? '' : provenanceText(index, found);
  const {sources, stages} = index.data;
  for (const {hash} of sources) expect(text).toContain(hash);
  for (const stage of stages.filter(({name}) => name !== 'tables')) {
    expect(text).toContain(stage.code);
    for (const {path, hash} of stage.files) expect(text).toContain(`${path} ${hash}`);
  }
  expect(text).not.toContain('stages/tables.ts');
});

it('says how many inputs the page does not have', () => {
  const data = pageData();
  const nodes = data.nodes.map((node) => (node.id === 'tables' ? {...node, moreInputs: 7} : node));
  expect(provenanceOf(indexPage({...data, nodes}), 'tables.markdown')?.leftOut).toBe(7);
  expect(provenanceOf(index, 'tables.markdown')?.leftOut).toBe(0);
});

it('follows ten thousand inputs', () => {
  const found = provenanceOf(indexPage(largePageData(10_000)), 'tables.markdown');
  expect(found?.steps.map(({nodes}) => nodes.length)).toEqual([1, 9998, 1]);
});
