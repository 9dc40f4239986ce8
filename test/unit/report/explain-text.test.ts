import {expect, test} from 'vitest';
import {digestOf, sha256} from '../../../src/core/digest.ts';
import type {StaleReason} from '../../../src/core/reason.ts';
import {explainBriefly, explainLines} from '../../../src/report/explain-text.ts';

const [a, b] = [digestOf('a'), digestOf('b')];

const reasons: readonly StaleReason[] = [
  {kind: 'never-built'},
  {kind: 'stage-changed', before: 'log-mel', after: 'mel'},
  {kind: 'code-changed', before: sha256('a'), after: sha256('b')},
  {
    kind: 'code-changed',
    before: sha256('a'),
    after: sha256('b'),
    files: [
      {what: 'file', name: 'stages/lib/audio/mel.ts', before: '1', after: '2'},
      {what: 'file', name: 'stages/lib/new.ts', after: '2'},
      {what: 'file', name: 'stages/lib/old.ts', before: '1'},
      {what: 'package', name: 'esbuild', before: '0.28.1', after: '0.28.2'},
      {what: 'package', name: 'yaml', after: '2.9.1'},
      {what: 'package', name: 'ajv', before: '8.20.0'},
    ],
  },
  {kind: 'param-changed', param: 'learningRate', before: 0.001, after: 0.01},
  {kind: 'param-changed', param: 'levels', before: 'h1', after: ['h1']},
  {kind: 'param-added', param: 'alpha', after: 0.2},
  {kind: 'param-removed', param: 'beta', before: null},
  {kind: 'input-changed', input: 'weights', before: a, after: b},
  {
    kind: 'input-changed',
    input: 'features',
    index: 2,
    before: a,
    after: b,
    entries: {
      added: [],
      removed: ['gone.npy'],
      changed: ['bell-03.npy', 'drum-01.npy'],
      addedCount: 0,
      removedCount: 1,
      changedCount: 2,
      total: 110,
    },
  },
  {kind: 'input-count-changed', input: 'predictions', before: 5, after: 4},
  {kind: 'input-added', input: 'extra'},
  {kind: 'input-removed', input: 'old'},
  {kind: 'outputs-changed', before: {x: {kind: 'file'}}, after: {x: {kind: 'tree'}}},
  {kind: 'seed-changed', before: 1, after: 2},
  {kind: 'toolchain-changed', tool: 'node', before: '20', after: '22'},
  {kind: 'toolchain-changed', tool: 'engine', before: undefined, after: 'wasm'},
  {kind: 'salt-changed'},
  {kind: 'slicing-changed', before: undefined, after: 'clip'},
  {kind: 'output-missing', output: 'model'},
  {kind: 'upstream', input: 'rows', node: 'segments'},
  {kind: 'upstream', input: 'predictions', node: 'train[fold=1]'},
  {kind: 'upstream', input: 'predictions', node: 'train[fold=2]'},
  {kind: 'distrusted', voucher: 'key:0123456789abcdef', builder: {name: 'ci'}},
  {kind: 'distrusted', voucher: 'namespace:pr-12'},
  {kind: 'forced'},
];

test('explainLines words every reason exactly', () => {
  expect(explainLines(reasons)).toMatchInlineSnapshot(`
    [
      "never built: there is no earlier result to compare with",
      "stage: log-mel -> mel",
      "code: ca978112… -> 3e23e816…",
      "code: stages/lib/audio/mel.ts changed",
      "code: stages/lib/new.ts added",
      "code: stages/lib/old.ts removed",
      "package esbuild 0.28.1 -> 0.28.2",
      "package yaml 2.9.1: now imported",
      "package ajv 8.20.0: no longer imported",
      "param learningRate: 0.001 -> 0.01",
      "param levels: "h1" -> ["h1"]",
      "param alpha: added, 0.2",
      "param beta: removed, was null",
      "input weights: ca978112… -> 3e23e816…",
      "input features[2]: ca978112… -> 3e23e816… (2 of 110 entries changed: bell-03.npy, drum-01.npy; 1 removed: gone.npy)",
      "input predictions: 5 artifacts -> 4",
      "input extra: added",
      "input old: removed",
      "declared outputs: {"x":{"kind":"file"}} -> {"x":{"kind":"tree"}}",
      "seed: 1 -> 2",
      "toolchain node: 20 -> 22",
      "tensor engine: absent -> wasm",
      "salt changed",
      "each: not sliced -> by clip",
      "output model: its bytes are missing from the cache or damaged",
      "input rows: not known until segments has run",
      "input predictions: not known until 2 nodes have run (train[fold=1], train[fold=2])",
      "the result that is here is not used: ci (key 0123456789ab…) vouched for a wrong one",
      "the result that is here is not used: namespace pr-12 vouched for a wrong one",
      "forced by --force",
    ]
  `);
});

test('explainBriefly names each component once and counts the rest', () => {
  expect(explainBriefly([])).toBe('');
  expect(explainBriefly(reasons.slice(4, 6))).toBe('param learningRate, param levels');
  expect(explainBriefly([...reasons.slice(8, 10), ...reasons.slice(8, 10)])).toBe('input weights, input features');
  expect(explainBriefly(reasons)).toBe('never built, stage, code and 19 more');
});

test('long values are cut around their first difference', () => {
  const words = Array.from({length: 40}, (_, index) => `word${index}`);
  const [line = ''] = explainLines([
    {kind: 'param-changed', param: 'list', before: words, after: words.map((word) => word.replace('word30', 'other'))},
  ]);
  expect(line).toContain('word30');
  expect(line).toContain('other');
  expect(line.length).toBeLessThan(200);
});
