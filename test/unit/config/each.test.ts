import {describe, expect, test} from 'vitest';
import {refsOf} from '../../../src/core/pipeline.ts';
import {pipelineOf, project, stage} from './support.ts';

const head = `version: 1
vars: {split: null, some: files}
sources: {clips: {path: clips, include: '*'}, files: {path: files, include: '*'}}
nodes:
`;
const of = (nodes: string) => pipelineOf(`${head}${nodes}`);

describe('each', () => {
  test('joins collections in the order they are written', async () => {
    const {nodes} = await of(`
  made: {stage: make}
  both: {stage: pair, matrix: {x: [1, 2]}, each: {right: '\${vars.some}', left: made.out}}
`).pipeline();
    expect(nodes[1]?.each).toEqual([
      {port: 'right', collection: {from: 'source', source: 'files'}},
      {port: 'left', collection: {from: 'node', node: 'made', output: 'out'}},
    ]);
    expect(nodes[2]?.each).toEqual(nodes[1]?.each);
    expect(refsOf(nodes[1]!)).toHaveLength(2);
  });

  test('joins collections for a command', async () => {
    const {nodes} = await of(`
  both: {command: [cat, a.txt, b], each: {a.txt: clips, b: files}, outputs: {o: {path: o, optional: true}, t: {path: t, kind: tree}}}
`).pipeline();
    expect(nodes[0]?.each?.map(({port}) => port)).toEqual(['a.txt', 'b']);
    expect(nodes[0]?.ports).toEqual({'a.txt': {kind: 'file'}, b: {kind: 'file'}});
    expect(nodes[0]?.outputs).toEqual({o: {kind: 'file', name: 'o', optional: true}, t: {kind: 'tree', name: 't'}});
  });

  test('makes a tree of what a slice makes, also of trees, for others to read', async () => {
    const at = project({
      'stages/split.ts': stage('split', {
        inputs: `{item: {kind: 'file', about: 'i'}}`,
        outputs: `{parts: {kind: 'tree', name: 'parts', about: 'p'}, first: {kind: 'file', name: 'f.txt', optional: true, about: 'f'}}`,
      }),
      'pipeline.yaml': `${head}
  parts: {stage: split, each: clips}
  refined: {stage: refine, each: parts.parts}
  model: {stage: train, inputs: {features: parts.first}, params: {fold: 1}}
`,
    });
    const {nodes} = await at.pipeline();
    expect(nodes[0]?.outputs).toMatchObject({parts: {kind: 'tree'}, first: {optional: true}});
  });

  test('reports what is wrong with each of several collections', async () => {
    expect(
      await of(`
  a: {stage: pair, each: {left: clips, wrong: files}}
  b: {stage: pair, each: {left: clips, right: files}, inputs: {right: files}}
  c: {stage: pair, each: {left: nowhere, right: b}}
  d: {stage: pair, each: {left: clips}}
`).mistakes(),
    ).toMatchInlineSnapshot(`
      "
      pipeline.yaml:6:40: stage \`pair\` has no input \`wrong\` [unknown-input]
        4 | nodes:
        5 |
      > 6 |   a: {stage: pair, each: {left: clips, wrong: files}}
          |                                        ~~~~~
        7 |   b: {stage: pair, each: {left: clips, right: files}, inputs: {right: files}}
        8 |   c: {stage: pair, each: {left: nowhere, right: b}}
        hint: known: \`left\`, \`right\`

      pipeline.yaml:7:64: input \`right\` is bound twice: here and by \`each\` [bad-value]
        5 |
        6 |   a: {stage: pair, each: {left: clips, wrong: files}}
      > 7 |   b: {stage: pair, each: {left: clips, right: files}, inputs: {right: files}}
          |                                                                ~~~~~
        8 |   c: {stage: pair, each: {left: nowhere, right: b}}
        9 |   d: {stage: pair, each: {left: clips}}

      pipeline.yaml:8:33: there is no node or source \`nowhere\` [unknown-node]
         6 |   a: {stage: pair, each: {left: clips, wrong: files}}
         7 |   b: {stage: pair, each: {left: clips, right: files}, inputs: {right: files}}
      >  8 |   c: {stage: pair, each: {left: nowhere, right: b}}
           |                                 ~~~~~~~
         9 |   d: {stage: pair, each: {left: clips}}
        hint: known: \`a\`, \`b\`, \`c\`, \`d\`, \`clips\`, \`files\`

      pipeline.yaml:9:3: node \`d\` does not bind the input \`right\` of stage \`pair\` (a file) [missing-input]
         7 |   b: {stage: pair, each: {left: clips, right: files}, inputs: {right: files}}
         8 |   c: {stage: pair, each: {left: nowhere, right: b}}
      >  9 |   d: {stage: pair, each: {left: clips}}
           |   ~
        hint: write \`inputs: {right: …}\`

      4 problems
      "
    `);
  });

  test('finds a cycle by way of any collection', async () => {
    expect(
      await of(`
  a: {stage: pair, each: {left: clips, right: b}}
  b: {stage: refine, each: a}
`).mistakes(),
    ).toMatchInlineSnapshot(`
      "
      pipeline.yaml:6:47: nodes are made from each other in a circle: a -> b -> a [cycle]
        4 | nodes:
        5 |
      > 6 |   a: {stage: pair, each: {left: clips, right: b}}
          |                                               ~
        7 |   b: {stage: refine, each: a}
        hint: each node reads an output of the next; remove one of these inputs
      "
    `);
  });

  test('refuses a tree that says it is optional', async () => {
    const at = project({
      'stages/odd.ts': stage('odd', {outputs: `{o: {kind: 'tree', name: 'o', optional: true, about: 'o'}}`}),
      'pipeline.yaml': 'version: 1\nnodes:\n  a: {stage: odd}\n',
    });
    expect(await at.mistakes()).toContain(
      'stage `odd` (stages/odd.ts) is declared wrongly: `outputs.o.optional`: only a file can be left unwritten; a tree can be left empty [stage-invalid]',
    );
  });
});

describe('null', () => {
  test('leaves an optional input unbound, also by a variable', async () => {
    const {nodes} = await of(`
  made: {stage: make}
  a: {stage: train, inputs: {features: made, split: null}, params: {fold: 1}}
  b: {stage: train, inputs: {features: made, split: '\${vars.split}'}, params: {fold: 1}}
  c: {stage: train, inputs: {features: made}, params: {fold: 1}}
`).pipeline();
    const bound = (id: string) => Object.keys(nodes.find((node) => node.id === id)!.inputs);
    for (const id of ['a', 'b', 'c']) expect(bound(id)).toEqual(['features']);
  });

  test('binds it again where a variable is set', async () => {
    const at = of(`
  made: {stage: make}
  a: {stage: merge, inputs: {parts: b.model}}
  b: {stage: train, inputs: {features: made}, params: {fold: 1}}
  c: {stage: train, inputs: {features: made, split: '\${vars.split}'}, params: {fold: 1}}
`);
    const {nodes} = await at.pipeline({overrides: ['split=a.table']});
    expect(nodes.at(-1)?.inputs['split']).toEqual({
      many: false,
      ref: {from: 'node', node: 'a', output: 'table'},
    });
  });

  test('cannot stand for what is needed', async () => {
    expect(
      await of(`
  a: {stage: train, inputs: {features: null}, params: {fold: 1}}
  b: {stage: train, inputs: {features: '\${vars.split}'}, params: {fold: 1}}
  c: {stage: merge, inputs: {parts: [null]}}
  d: {command: [ls], inputs: {x: '\${vars.split}'}, outputs: {o: o}}
  e: {stage: refine, each: null}
`).mistakes(),
    ).toMatchInlineSnapshot(`
      "
      pipeline.yaml:6:40: input \`features\` of stage \`train\` is not optional: \`null\` leaves it without an artifact [missing-input]
        4 | nodes:
        5 |
      > 6 |   a: {stage: train, inputs: {features: null}, params: {fold: 1}}
          |                                        ~~~~
        7 |   b: {stage: train, inputs: {features: '\${vars.split}'}, params: {fold: 1}}
        8 |   c: {stage: merge, inputs: {parts: [null]}}

      pipeline.yaml:7:40: input \`features\` of stage \`train\` is not optional: \`null\` leaves it without an artifact (through \${vars.split}) [missing-input]
        5 |
        6 |   a: {stage: train, inputs: {features: null}, params: {fold: 1}}
      > 7 |   b: {stage: train, inputs: {features: '\${vars.split}'}, params: {fold: 1}}
          |                                        ~~~~~~~~~~~~~~~
        8 |   c: {stage: merge, inputs: {parts: [null]}}
        9 |   d: {command: [ls], inputs: {x: '\${vars.split}'}, outputs: {o: o}}

      pipeline.yaml:8:38: item 1 of \`parts\` must be a text, not nothing [schema-violation]
         6 |   a: {stage: train, inputs: {features: null}, params: {fold: 1}}
         7 |   b: {stage: train, inputs: {features: '\${vars.split}'}, params: {fold: 1}}
      >  8 |   c: {stage: merge, inputs: {parts: [null]}}
           |                                      ~~~~
         9 |   d: {command: [ls], inputs: {x: '\${vars.split}'}, outputs: {o: o}}
        10 |   e: {stage: refine, each: null}

      pipeline.yaml:9:34: a reference must be a text, not nothing (through \${vars.split}) [bad-value]
         7 |   b: {stage: train, inputs: {features: '\${vars.split}'}, params: {fold: 1}}
         8 |   c: {stage: merge, inputs: {parts: [null]}}
      >  9 |   d: {command: [ls], inputs: {x: '\${vars.split}'}, outputs: {o: o}}
           |                                  ~~~~~~~~~~~~~~~
        10 |   e: {stage: refine, each: null}

      pipeline.yaml:10:28: \`each\` must be a collection, or a mapping of ports to collections, not nothing [schema-violation]
         8 |   c: {stage: merge, inputs: {parts: [null]}}
         9 |   d: {command: [ls], inputs: {x: '\${vars.split}'}, outputs: {o: o}}
      > 10 |   e: {stage: refine, each: null}
           |                            ~~~~

      5 problems
      "
    `);
  });
});
