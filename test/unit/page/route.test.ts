import fc from 'fast-check';
import {expect, it} from 'vitest';
import {changeRoute, parseRoute, routeHash, SECTIONS} from '../../../src/page/model/route.ts';

it('opens the results when the address says nothing', () => {
  expect(parseRoute('')).toEqual({section: 'results'});
  expect(parseRoute('#section=nowhere&x=1')).toEqual({section: 'results'});
});

it('opens a node by its name alone', () => {
  expect(parseRoute('#node=train%5Bfold%3D1%2Clevels%3Dh1%2Bh2%5D')).toEqual({
    section: 'results',
    node: 'train[fold=1,levels=h1+h2]',
  });
});

it('takes a section by its bare name', () => {
  expect(parseRoute('#graph')).toEqual({section: 'graph'});
});

it('survives an address that is broken', () => {
  expect(parseRoute('#%E0%A4%A&node=%')).toEqual({section: 'results', node: '%'});
});

it('comes back from its own address', () => {
  const text = fc.option(fc.string({minLength: 1, unit: 'grapheme'}), {nil: undefined});
  const fields = fc.record({section: fc.constantFrom(...SECTIONS), node: text, text, outputText: text});
  fc.assert(
    fc.property(fields, (change) => {
      const route = changeRoute({section: 'results'}, change);
      expect(parseRoute(routeHash(route))).toEqual(route);
    }),
  );
});

it('takes fields out that are set to nothing, and leaves the others', () => {
  const route = parseRoute('#section=nodes&text=a&outcome=failed&node=b');
  expect(changeRoute(route, {node: undefined, text: ''})).toEqual({section: 'nodes', outcome: 'failed'});
});
