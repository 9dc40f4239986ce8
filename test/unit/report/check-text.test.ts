import {describe, expect, it} from 'vitest';
import type {Drift, NodeCheck} from '../../../src/core/pin-check.ts';
import {troubleText, verdictCounts} from '../../../src/report/check-text.ts';
import {makePaint} from '../../../src/report/paint.ts';

const paint = makePaint(false);

function check(node: string, verdict: NodeCheck['verdict'], rest: Partial<NodeCheck> = {}): NodeCheck {
  return {node, verdict, reasons: [], drifts: [], follows: [], ...rest};
}

function drifted(...drifts: Drift[]): string {
  return troubleText([check('a', 'drifted', {drifts})], paint).replace('drifted a\n  ', '');
}

describe('troubleText', () => {
  it('has root causes first, variants with the same reasons together, and nothing that follows', () => {
    const reasons = [{kind: 'param-changed', param: 'rate', before: 1, after: 2} as const];
    const checks = [
      check('gone', 'orphaned'),
      check('tables', 'stale', {follows: ['train[fold=1]']}),
      check('fine', 'fresh'),
      check('new', 'unpinned'),
      check('train[fold=1]', 'stale', {reasons: [...reasons, {kind: 'upstream', input: 'x', node: 'y'}]}),
      check('train[fold=2]', 'stale', {reasons}),
      check('train[fold=3]', 'drifted', {
        drifts: [{of: 'metric', name: 'map3', before: 0.631, after: 0.604, allowed: 0}],
      }),
    ];
    expect(troubleText(checks, paint)).toBe(`stale train ×2
  param rate: 1 -> 2
drifted train[fold=3]
  map3 0.631 -> 0.604
unpinned new
orphaned gone`);
  });

  it('tells how values drifted, with as many digits as tell them apart', () => {
    const metric = {of: 'metric', name: 'loss', allowed: 0.001} as const;
    expect(drifted({...metric, before: 0.123456, after: 0.123466})).toBe('loss 0.12346 -> 0.12347, allowed 0.001');
    expect(drifted({...metric, name: 'epochs', before: 60, after: 47})).toBe('epochs 60 -> 47');
    expect(drifted({...metric, after: 1})).toBe('loss: reported, and was not');
    expect(drifted({...metric, before: 1})).toBe('loss: no longer reported, was 1');
    const output = {of: 'output', name: 'out'} as const;
    expect(drifted({...output, kind: 'bytes', before: 3, after: 4})).toBe('output out: other bytes, 3 -> 4');
    expect(drifted({...output, kind: 'bytes', before: 3, after: 3})).toBe('output out: other bytes, as many (3)');
    expect(drifted({...output, kind: 'form'})).toBe('output out: more than its numbers differs');
    expect(drifted({...output, kind: 'many', count: 900, difference: 0.0523, allowed: 0.01})).toBe(
      'output out: 900 numbers differ by about 0.052, allowed 0.01',
    );
  });

  it('cuts what is long', () => {
    const drifts = Array.from({length: 20}, (_, index) => ({
      of: 'metric' as const,
      name: `m${index}`,
      before: 0,
      after: 1,
      allowed: 0,
    }));
    expect(troubleText([check('a', 'drifted', {drifts})], paint)).toContain('  … and 8 more differences');
    const many = Array.from({length: 45}, (_, index) => check(`n${index}`, 'orphaned'));
    expect(troubleText(many, paint)).toContain('… and 5 more; --json has all');
  });
});

describe('verdictCounts', () => {
  it('counts', () => {
    expect(verdictCounts([check('a', 'fresh'), check('b', 'fresh')])).toBe('2 nodes');
    const checks = [check('a', 'fresh'), check('b', 'stale'), check('c', 'stale', {follows: ['b']})];
    expect(verdictCounts(checks)).toBe('3 nodes: 1 fresh, 2 stale (1 follow)');
  });
});
