import {describe, expect, test} from 'vitest';
import {buildGraph} from '../../../src/core/graph.ts';
import {nodeId, type ArtifactRef, type Pipeline, type PipelineNode} from '../../../src/core/pipeline.ts';
import {defaultResources} from '../../../src/core/resources.ts';
import {select} from '../../../src/core/selection.ts';
import type {Scalar} from '../../../src/core/json.ts';

function node(name: string, variant: Record<string, Scalar>, producers: readonly string[]): PipelineNode {
  const refs: ArtifactRef[] = producers.map((producer) => ({from: 'node', node: producer, output: 'out'}));
  return {
    id: nodeId(name, variant),
    name,
    variant,
    stage: name,
    params: {},
    seed: 0,
    inputs: {all: {many: true, refs}},
    ports: {all: {kind: 'file', many: true}},
    outputs: {out: {kind: 'file', name: 'out'}},
    resources: defaultResources,
    retries: 0,
    salt: '',
  };
}

const nodes = [
  node('wave', {}, []),
  node('train', {fold: 1, levels: 'h1'}, ['wave']),
  node('train', {fold: 1, levels: 'h1+h2'}, ['wave']),
  node('train', {fold: 2, levels: 'h1'}, ['wave']),
  node('odd', {text: 'a,b'}, []),
  node('tables', {}, ['train[fold=1,levels=h1]', 'train[fold=2,levels=h1]']),
];

const pipeline: Pipeline = {
  root: '/project',
  file: '/project/pipeline.yaml',
  seed: 1,
  nodes,
  sources: {},
  stages: {},
  axes: {train: {fold: [1, 2], levels: ['h1', 'h1+h2']}, odd: {text: ['a,b']}},
  targets: {default: ['tables'], first: ['train[fold=1,levels=h1]']},
};
const graph = buildGraph(nodes);

function selected(...patterns: string[]): readonly string[] | string {
  const result = select(pipeline, graph, patterns);
  return result.ok ? result.value : result.error.map((each) => `${each.message} | ${each.hint ?? ''}`).join('\n');
}

describe('select', () => {
  test('takes a name with all its variants, in declaration order and each once', () => {
    expect(selected('tables', 'train', 'train[fold=1]')).toEqual([
      'train[fold=1,levels=h1]',
      'train[fold=1,levels=h1+h2]',
      'train[fold=2,levels=h1]',
      'tables',
    ]);
  });

  test('narrows by axis values; a star and a missing axis are free', () => {
    expect(selected('train[fold=2]')).toEqual(['train[fold=2,levels=h1]']);
    expect(selected('train[fold=2|1,levels=h1]')).toEqual(['train[fold=1,levels=h1]', 'train[fold=2,levels=h1]']);
    expect(selected('train[fold=*,levels=h1]')).toEqual(['train[fold=1,levels=h1]', 'train[fold=2,levels=h1]']);
    expect(selected('odd[text="a,b"]')).toEqual(['odd[text="a,b"]']);
  });

  test('every node id selects exactly its node', () => {
    for (const each of nodes) expect(selected(each.id)).toEqual([each.id]);
  });

  test('takes groups', () => {
    expect(selected('first')).toEqual(['train[fold=1,levels=h1]']);
    expect(selected('+first')).toEqual(['wave', 'train[fold=1,levels=h1]']);
  });

  test('adds producers and consumers', () => {
    expect(selected('+train[fold=1,levels=h1]')).toEqual(['wave', 'train[fold=1,levels=h1]']);
    expect(selected('train[levels=h1+h2]+')).toEqual(['train[fold=1,levels=h1+h2]']);
    expect(selected('wave+')).toEqual([
      'wave',
      'train[fold=1,levels=h1]',
      'train[fold=1,levels=h1+h2]',
      'train[fold=2,levels=h1]',
      'tables',
    ]);
    expect(selected('+train[fold=2]+')).toEqual(['wave', 'train[fold=2,levels=h1]', 'tables']);
  });

  test('says what is unknown and what was meant, for all patterns at once', () => {
    expect(selected('trian', 'train[flod=1]', 'train[fold=9]', 'xyz')).toBe(
      [
        'there is no node or target group `trian` | did you mean `train`?',
        '`train` has no axis `flod` | did you mean `fold`?',
        '`train` has no variant with fold=9 | known: `1`, `2`',
        'there is no node or target group `xyz` | known: `wave`, `train`, `odd`, `tables`, `default`, `first`',
      ].join('\n'),
    );
  });

  test('says when the matrix leaves a combination out', () => {
    expect(selected('train[fold=2,levels=h1+h2]')).toBe(
      '`train` has no variant with fold=2, levels=h1+h2 | each value exists, but the matrix leaves this combination out',
    );
  });

  test('refuses outputs, axes on groups and text that is no pattern', () => {
    expect(selected('+train.model')).toBe('`+train.model` names an output; nodes are selected whole | write `+train`');
    expect(selected('first[fold=1]')).toBe('`first` is a target group and takes no [axis=value] | ');
    for (const bad of ['', '+', 'train[', 'train[]', 'train[fold]', 'train[fold=1,]', 'train[fold=1,fold=2]', 'a b']) {
      expect(selected(bad)).toContain('selects nothing');
    }
  });
});
