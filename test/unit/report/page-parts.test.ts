import {describe, expect, test} from 'vitest';
import type {Digest} from '../../../src/core/digest.ts';
import type {StaleReason} from '../../../src/core/reason.ts';
import {explainLines} from '../../../src/report/explain-text.ts';
import {pageChanges} from '../../../src/report/page-changes.ts';
import type {PageInput, PageNode} from '../../../src/report/page-data.ts';
import {pageGroups} from '../../../src/report/page-groups.ts';
import {pageInputs} from '../../../src/report/page-inputs.ts';
import {limitInputs, limitLines, limitTexts, pageLimits} from '../../../src/report/page-limits.ts';
import {maskParams, maskReasons} from '../../../src/report/page-secrets.ts';

function node(id: string, inputs: readonly PageInput[] = []): PageNode {
  const [, name = id, axis, value] = /^(.*)\[(.*)=(.*)\]$/.exec(id) ?? [];
  const axes = axis === undefined ? {} : {[axis]: value ?? ''};
  return {id, name, axes, stage: name, outcome: 'executed', reasons: [], params: {}, metrics: {}, inputs, outputs: []};
}

function reads(producer: string): PageInput {
  return {port: 'in', from: 'node', node: producer, output: 'out'};
}

describe('pageGroups', () => {
  test('nodes of one name are one group, which reads each group and source once', () => {
    const groups = pageGroups([
      node('clips', [{port: 'in', from: 'source', source: 'wav'}]),
      node('train[fold=1]', [reads('clips')]),
      node('train[fold=2]', [reads('clips'), reads('train[fold=1]')]),
      node('mean', [reads('train[fold=1]'), reads('train[fold=2]'), reads('clips'), reads('lost')]),
    ]);
    expect(groups).toEqual([
      {name: 'clips', stage: 'clips', nodes: ['clips'], axes: {}, reads: ['source:wav']},
      {
        name: 'train',
        stage: 'train',
        nodes: ['train[fold=1]', 'train[fold=2]'],
        axes: {fold: ['1', '2']},
        reads: ['clips'],
      },
      {name: 'mean', stage: 'mean', nodes: ['mean'], axes: {}, reads: ['train', 'clips']},
    ]);
  });
});

describe('pageInputs', () => {
  const hashes: Readonly<Record<string, string>> = {a: 'a1', b: 'b1'};
  const made = {
    hashOf: (id: string) => hashes[id],
    ownerOf: (hash: string) => (hash === 'a1' ? {node: 'a', output: 'out'} : undefined),
  };
  const digest = (hash: string): Digest => ({hash, size: 1}) as Digest;
  const ref = (id: string) => ({from: 'node', node: id, output: 'out'}) as const;

  test('names what the pipeline binds, port by port, as long as the bytes agree', () => {
    const inputs = {x: [digest('a1'), digest('b1')], y: digest('s1')};
    const refs = [
      ['y', [{from: 'source', source: 'wav'}]],
      ['x', [ref('a'), ref('b')]],
    ] as const;
    expect(pageInputs(refs, inputs, made)).toEqual([
      {port: 'y', from: 'source', source: 'wav'},
      {port: 'x', ...ref('a')},
      {port: 'x', ...ref('b')},
    ]);
  });

  test('goes by the bytes where the pipeline is another one by now', () => {
    const found = [
      {port: 'x', ...ref('a')},
      {port: 'x', from: 'source', source: 'sha256:c1'},
    ];
    const inputs = {x: [digest('a1'), digest('c1')]};
    expect(pageInputs([['x', [ref('b'), ref('b')]]], inputs, made)).toEqual(found);
    expect(pageInputs([['x', [ref('a')]]], inputs, made)).toEqual(found);
    expect(pageInputs(undefined, inputs, made)).toEqual(found);
  });

  test('of work that was not done there are the bindings only', () => {
    expect(pageInputs([['x', [ref('b')]]], undefined, made)).toEqual([{port: 'x', ...ref('b')}]);
    expect(pageInputs(undefined, undefined, made)).toEqual([]);
  });
});

describe('pageChanges', () => {
  test('has the metrics that differ, also by being there, and the nodes that came and went', () => {
    const before = new Map([
      ['a', {map: 0.5, clips: 3}],
      ['b', {map: 1}],
      ['gone', {}],
      ['failed', {}],
    ]);
    const after = new Map([
      ['a', {map: 0.6, clips: 3, loss: 2}],
      ['b', {map: Number.NaN}],
      ['new', {map: 1}],
    ]);
    expect(pageChanges('r1', before, after, (id) => id !== 'failed')).toEqual({
      since: 'r1',
      metrics: [
        {node: 'a', metric: 'map', before: 0.5, after: 0.6},
        {node: 'a', metric: 'loss', before: null, after: 2},
        {node: 'b', metric: 'map', before: 1, after: null},
      ],
      added: ['new'],
      removed: ['gone'],
    });
  });
});

describe('environment variables of a command', () => {
  const command = (key: string, run = 'a'): {readonly argv: string[]; readonly env: Record<string, string>} => ({
    argv: [run],
    env: {API_KEY: key, LANG: 'C'},
  });

  test('are named among the params, without their values', () => {
    expect(maskParams({rate: 1, $command: command('s3cret')})).toEqual({
      rate: 1,
      $command: {argv: ['a'], env: {API_KEY: '…', LANG: '…'}},
    });
    expect(maskParams({env: {a: 'b'}})).toEqual({env: {a: 'b'}});
  });

  test('are not quoted by reasons', () => {
    const param = '$command';
    const [was, is] = [command('s3cret'), command('t0psecret')];
    const reasons: readonly StaleReason[] = [
      {kind: 'param-changed', param, before: was, after: is},
      {kind: 'param-changed', param, before: was, after: command('t0psecret', 'b')},
      {kind: 'param-added', param, after: is},
      {kind: 'param-removed', param, before: was},
      {kind: 'param-changed', param: 'rate', before: 1, after: 2},
    ];
    const lines = explainLines(maskReasons(reasons));
    expect(lines.join('\n')).not.toContain('secret');
    expect(lines[0]).toBe('command: "$API_KEY: …" -> "$API_KEY: another value"');
    expect(lines[1]).toContain('"argv":["b"]');
    expect(lines[4]).toBe('param rate: 1 -> 2');
  });
});

describe('limits of a page', () => {
  test('inputs: one of each origin stays, and the others are counted', () => {
    const many = Array.from({length: 50}, (_, i) => reads(`train[fold=${i}]`));
    const source: PageInput = {port: 'in', from: 'source', source: 'wav'};
    const {inputs, moreInputs} = limitInputs([...many, reads('folds'), source], 4);
    expect(inputs).toEqual([many[0], reads('folds'), source, many[1]]);
    expect(moreInputs).toBe(48);
    expect(limitInputs(many, 50)).toEqual({inputs: many});
  });

  test('lines and texts', () => {
    expect(limitLines(['a', 'b', 'c'], 3)).toEqual(['a', 'b', 'c']);
    expect(limitLines(['a', 'b', 'c', 'd'], 3)).toEqual(['a', 'b', '… and 2 more reasons']);
    const long = 'x'.repeat(5000);
    expect(limitTexts({a: [long, 1, null], b: {c: true}})).toEqual({
      a: [`${'x'.repeat(4000)}…`, 1, null],
      b: {c: true},
    });
  });

  test('the page of a very large run has no params and no logs', () => {
    expect(pageLimits(1147)).toMatchObject({details: true, hashDigits: 64});
    expect(pageLimits(10_000)).toMatchObject({details: false, hashDigits: 12, logBytes: 0});
  });
});
