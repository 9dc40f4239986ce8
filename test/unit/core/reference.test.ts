import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {nodeId, scalarText} from '../../../src/core/pipeline.ts';
import {parseReference} from '../../../src/core/reference.ts';

describe('parseReference', () => {
  test.each([
    ['clips', {name: 'clips'}],
    ['log-mel.patches', {name: 'log-mel', output: 'patches'}],
    ['train[*].model', {name: 'train', selector: {all: true}, output: 'model'}],
    ['train[ * ]', {name: 'train', selector: {all: true}}],
    [
      'train[fold=1]',
      {
        name: 'train',
        selector: {all: false, axes: [{axis: 'fold', at: 6, choices: [{text: '1', start: 11, end: 12}]}]},
      },
    ],
    [
      'train[fold = * , levels=h1+h3].x',
      {
        name: 'train',
        selector: {
          all: false,
          axes: [
            {axis: 'fold', at: 6, choices: undefined},
            {axis: 'levels', at: 17, choices: [{text: 'h1+h3', start: 24, end: 29}]},
          ],
        },
        output: 'x',
      },
    ],
    [
      't[a="b,c]"]',
      {name: 't', selector: {all: false, axes: [{axis: 'a', at: 2, choices: [{text: '"b,c]"', start: 4, end: 10}]}]}},
    ],
    [
      't[a="*"]',
      {name: 't', selector: {all: false, axes: [{axis: 'a', at: 2, choices: [{text: '"*"', start: 4, end: 7}]}]}},
    ],
    [
      't[a="1"]',
      {name: 't', selector: {all: false, axes: [{axis: 'a', at: 2, choices: [{text: '1', start: 4, end: 7}]}]}},
    ],
    [
      't[a=b | "c|d",e=*]',
      {
        name: 't',
        selector: {
          all: false,
          axes: [
            {
              axis: 'a',
              at: 2,
              choices: [
                {text: 'b', start: 4, end: 5},
                {text: '"c|d"', start: 8, end: 13},
              ],
            },
            {axis: 'e', at: 14, choices: undefined},
          ],
        },
      },
    ],
  ])('reads %s', (text, wanted) => {
    expect(parseReference(text)).toEqual({ok: true, value: wanted});
  });

  test.each([
    ['', 'a reference starts with the name of a node or a source', 0, 0],
    ['.x', 'a reference starts with the name of a node or a source', 0, 2],
    ['a b', '` b` cannot follow `a`', 1, 3],
    ['a.', 'after the dot stands the name of one output', 2, 2],
    ['a.b.c', 'after the dot stands the name of one output', 2, 5],
    ['a[', 'inside the brackets stands `axis=value`, `axis=*` or `*`', 2, 2],
    ['a[]', 'inside the brackets stands `axis=value`, `axis=*` or `*`', 2, 3],
    ['a[x]', 'inside the brackets stands `axis=value`, `axis=*` or `*`', 2, 4],
    ['a[x=1', 'the bracket is not closed by `]`', 1, 5],
    ['a[x=1,]', 'inside the brackets stands `axis=value`, `axis=*` or `*`', 6, 7],
    ['a[x=]', 'axis `x` has no value', 4, 5],
    ['a[x=1,x=2]', 'axis `x` is named twice', 8, 9],
    ['a[x=1|]', 'axis `x` has no value', 6, 7],
    ['a[x=|1]', 'axis `x` has no value', 4, 5],
    ['a[x="1]', 'axis `x` has no value', 4, 5],
    ['a[x=1]b', '`b` cannot follow `a[x=1]`', 6, 7],
  ])('refuses %j', (text, message, start, end) => {
    expect(parseReference(text)).toEqual({ok: false, error: {message, start, end}});
  });

  test('reads every node id back', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constantFrom('a,b', 'a|b', 'x]', '"', '\\', '*', ' ', 'a=b', '[', '\n', '1'),
    );
    const variants = fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]*$/), value, {minKeys: 1, maxKeys: 3});
    fc.assert(
      fc.property(variants, (variant) => {
        const parsed = parseReference(nodeId('node', variant));
        expect(parsed.ok).toBe(true);
        const selector = parsed.ok ? parsed.value.selector : undefined;
        const axes =
          selector && !selector.all
            ? selector.axes.map(({axis, choices}) => [axis, choices?.map(({text}) => text)])
            : [];
        expect(axes).toEqual(Object.entries(variant).map(([axis, each]) => [axis, [scalarText(each)]]));
      }),
    );
  });

  test('says something about any text, within it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z.=*|,"[\] ]{0,12}$/)), (text) => {
        const parsed = parseReference(text);
        if (parsed.ok) return;
        expect(parsed.error.start).toBeLessThanOrEqual(parsed.error.end);
        expect(parsed.error.end).toBeLessThanOrEqual(text.length + 1);
      }),
    );
  });
});
