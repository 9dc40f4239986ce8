import {describe, expect, test} from 'vitest';
import {buildGraph} from '../../../src/core/graph.ts';
import type {Scalar} from '../../../src/core/json.ts';
import {nodeId, type ArtifactRef, type Pipeline, type PipelineNode} from '../../../src/core/pipeline.ts';
import {defaultResources} from '../../../src/core/resources.ts';
import {graphText} from '../../../src/report/graph-text.ts';
import {graphView} from '../../../src/report/graph-view.ts';

function node(name: string, variant: Record<string, Scalar>, refs: readonly ArtifactRef[], each = false): PipelineNode {
  const [first] = refs;
  return {
    id: nodeId(name, variant),
    name,
    variant,
    stage: name,
    params: {},
    seed: 0,
    inputs: each ? {} : {all: {many: true, refs}},
    ports: {all: {kind: 'file', many: true}},
    ...(each && first ? {each: [{port: 'item', collection: first}]} : {}),
    outputs: {out: {kind: 'file', name: 'out'}},
    resources: defaultResources,
    retries: 0,
    salt: '',
  };
}

const out = (id: string): ArtifactRef => ({from: 'node', node: id, output: 'out'});
const nodes = [
  node('wave', {}, [{from: 'source', source: 'clips'}], true),
  node('train', {fold: 1}, [out('wave')]),
  node('train', {fold: 2}, [out('wave')]),
  node('mean', {}, [out('train[fold=1]'), out('train[fold=2]')]),
];
const pipeline: Pipeline = {
  root: '/p',
  file: '/p/pipeline.yaml',
  seed: 1,
  nodes,
  sources: {
    unused: {name: 'unused', path: 'u', include: [], exclude: []},
    clips: {name: 'clips', path: 'data', include: [], exclude: []},
  },
  stages: {},
  axes: {train: {fold: [1, 2]}},
  targets: {default: ['mean']},
};
const graph = buildGraph(nodes);

describe('graph', () => {
  test('collapsed: one box per name, statuses by the most urgent', () => {
    const view = graphView(pipeline, graph, {
      expanded: false,
      statusOf: (id) => (id === 'train[fold=2]' ? 'will-run' : 'up-to-date'),
    });
    expect(graphText(view, 'mermaid')).toMatchInlineSnapshot(`
      "flowchart LR
        b0[("clips")]
        b1["wave (each)"]:::uptodate
        b2["train ×2"]:::willrun
        b3["mean"]:::uptodate
        b0 --> b1
        b1 --> b2
        b2 --> b3
        classDef uptodate fill:#d9f2df,stroke:#2f8f4e,color:#222
        classDef willrun fill:#fadcd6,stroke:#b5472f,color:#222
      "
    `);
    expect(graphText(view, 'dot')).toMatchInlineSnapshot(`
      "digraph pipeline {
        rankdir=LR;
        node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"];
        b0 [label="clips", shape=cylinder, style=filled];
        b1 [label="wave (each)", fillcolor="#d9f2df", color="#2f8f4e"];
        b2 [label="train ×2", fillcolor="#fadcd6", color="#b5472f"];
        b3 [label="mean", fillcolor="#d9f2df", color="#2f8f4e"];
        b0 -> b1;
        b1 -> b2;
        b2 -> b3;
      }
      "
    `);
  });

  test('expanded, narrowed to some nodes, without statuses', () => {
    const view = graphView(pipeline, graph, {expanded: true, only: new Set(['train[fold=1]', 'mean'])});
    expect(graphText(view, 'json')).toMatchInlineSnapshot(`
      "{
        "nodes": [
          {
            "id": "train[fold=1]",
            "stage": "train",
            "variant": {
              "fold": 1
            },
            "count": 1,
            "sliced": false
          },
          {
            "id": "mean",
            "stage": "mean",
            "count": 1,
            "sliced": false
          }
        ],
        "sources": [],
        "edges": [
          {
            "from": "train[fold=1]",
            "to": "mean"
          }
        ]
      }
      "
    `);
  });

  test('labels cannot break out of their quotes', () => {
    const odd = [node('odd', {t: 'a"b\\<c>'}, [])];
    const view = graphView({...pipeline, nodes: odd}, buildGraph(odd), {expanded: true});
    expect(graphText(view, 'mermaid')).toContain('b0["odd[t=&quot;a\\&quot;b\\\\&lt;c>&quot;]"]');
    expect(graphText(view, 'dot')).toContain('label="odd[t=\\"a\\\\\\"b\\\\\\\\<c>\\"]"');
  });
});
