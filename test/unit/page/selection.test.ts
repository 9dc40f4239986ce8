import {expect, it} from 'vitest';
import {changeText, metricGroups} from '../../../src/page/model/metric-groups.ts';
import {selectNodes} from '../../../src/page/model/node-selection.ts';
import {outcomeCounts, OUTCOMES, reasonsOf, worstOutcome} from '../../../src/page/model/outcome-words.ts';
import {indexPage, variantText} from '../../../src/page/model/page-index.ts';
import {groupResults} from '../../../src/page/model/result-groups.ts';
import {textFilter} from '../../../src/page/model/text-filter.ts';
import {pageData} from '../../support/page-data.ts';

const index = indexPage(pageData());
const {nodes} = index.data;

it('puts failures first, then what they held up, then the rest in order', () => {
  expect(selectNodes(nodes, '', '').map(({outcome}) => outcome)).toEqual([
    'failed',
    'blocked',
    'cancelled',
    'up-to-date',
    'executed',
    'executed',
    'cached',
    'executed',
  ]);
});

it('narrows by outcome and by words of names, reasons and failures', () => {
  expect(selectNodes(nodes, 'cached', '').map(({id}) => id)).toEqual(['train[fold=10,levels=h1]']);
  expect(selectNodes(nodes, '', 'DIGITS param').map(({id}) => id)).toEqual(['tables']);
  expect(selectNodes(nodes, '', 'not a number').map(({id}) => id)).toEqual(['train[fold=1,levels=h1+h2]']);
  expect(selectNodes(nodes, 'cached', 'figure')).toEqual([]);
});

it('finds words in any order and takes signs literally', () => {
  expect(textFilter('b A')('a and B')).toBe(true);
  expect(textFilter('[fold=1')('train[fold=1]')).toBe(true);
  expect(textFilter('.*')('train')).toBe(false);
  expect(textFilter(' ')('')).toBe(true);
});

it('counts outcomes with the worst in front', () => {
  expect(outcomeCounts(nodes).map(([outcome]) => outcome)[0]).toBe('failed');
  expect(worstOutcome(nodes.filter(({name}) => name === 'tables'))).toBe('executed');
});

it('says why for every outcome; what held a node up comes first', () => {
  const [node] = nodes;
  if (node === undefined) throw new Error('no node');
  const failure = {code: 'blocked', message: 'a failed'} as const;
  expect(reasonsOf({...node, outcome: 'blocked', reasons: ['b'], failure})).toEqual(['a failed', 'b']);
  expect(reasonsOf({...node, outcome: 'failed', reasons: ['b'], failure})).toEqual(['b']);
  for (const outcome of OUTCOMES) expect(reasonsOf({...node, outcome, reasons: []})).toEqual([expect.any(String)]);
});

it('names a variant by the axes that tell it from others', () => {
  const [features, train] = nodes;
  expect(features && variantText(index, features)).toBe('features');
  expect(train && variantText(index, train)).toBe('fold 1, levels h1');
});

it('tables metrics by name, the last of the pipeline first, over axes of several values', () => {
  const groups = metricGroups(index, {group: '', text: '', changed: false});
  expect(groups.map(({name, axes, metrics, nodes: members}) => [name, axes, metrics, members.length])).toEqual([
    ['tables', [], ['best'], 1],
    ['train', ['fold', 'levels'], ['map3', 'loss'], 3],
  ]);
});

it('narrows metrics by name, words and change', () => {
  const chosen = (choice: Parameters<typeof metricGroups>[1]): readonly string[] =>
    metricGroups(index, choice).flatMap(({nodes: members}) => members.map(({id}) => id));
  expect(chosen({group: 'tables', text: '', changed: false})).toEqual(['tables']);
  expect(chosen({group: '', text: 'fold=2', changed: false})).toEqual(['train[fold=2,levels=h1]']);
  expect(chosen({group: '', text: '', changed: true})).toHaveLength(3);
});

it.each([
  [{before: 0.5, after: 0.75}, '▲ up 0.25'],
  [{before: 0.5, after: 0.25}, '▼ down 0.25'],
  [{before: 0.5, after: 0.5}, '= same'],
  [{before: null, after: 0.5}, '+ new'],
  [{before: 0.5, after: null}, '− gone, was 0.5'],
])('words the change %j', (change, text) => {
  expect(changeText(change, String)).toBe(text);
});

it('shows variants of one output together', () => {
  const groups = groupResults(index);
  expect(groups.map(({title, variants}) => [title, variants.length])).toContainEqual(['train: curve', 2]);
  expect(groups.find(({title}) => title === 'train: curve')?.variants.map(({label}) => label)).toEqual([
    'fold 1, levels h1',
    'fold 2, levels h1',
  ]);
  expect(groups).toHaveLength(index.data.results.length - 1);
});
