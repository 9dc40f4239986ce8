import fc from 'fast-check';
import {expect, test} from 'vitest';
import type {Json} from '../../../src/core/json.ts';
import type {Pipeline} from '../../../src/core/pipeline.ts';
import {pipelineOf, project} from './support.ts';

const paramsOf = ({nodes}: Pipeline, name: string) =>
  nodes.filter((node) => node.name === name).map(({params}) => params);
const refsOf = ({nodes}: Pipeline, name: string, port: string) =>
  nodes
    .filter((node) => node.name === name)
    .map(({inputs}) => {
      const binding = inputs[port];
      const refs = binding?.many ? binding.refs : binding ? [binding.ref] : [];
      return refs.map((ref) => (ref.from === 'node' ? `${ref.node}.${ref.output}` : ref.source));
    });

test('takes a member by the value of the own axis, with its type, wherever an axis may stand', async () => {
  const pipeline = await pipelineOf(`version: 1
vars:
  variants: [h1, 2, h1+h2]
  experiments:
    h1: {fold: 1, levels: h1, sizes: [4, 5], seed: 7, cpu: 2, time: 5m, salt: x, from: part}
    '2': {fold: 2, levels: 'true', sizes: [], seed: 8, cpu: 0.5, time: 60, salt: 5, from: 'part[n=2]'}
    h1+h2: {fold: 3, levels: h1+h2, sizes: [1], seed: 9, cpu: 1, time: 1h, salt: false, from: part}
  part: {h1: 1, '2': 2, h1+h2: 1}
nodes:
  part: {stage: make, matrix: {n: [1, 2]}}
  model:
    stage: train
    matrix: {variant: '\${vars.variants}'}
    inputs: {features: 'part[n=\${vars.part[matrix.variant]}].out'}
    params:
      fold: '\${vars.experiments[matrix.variant].fold}'
      levels: '\${vars.experiments[ matrix.variant ].levels}/\${vars.experiments[matrix.variant].fold}/\${matrix.variant}'
      sizes: '\${vars.experiments[matrix.variant].sizes}'
    seed: '\${vars.experiments[matrix.variant].seed}'
    resources: {cpu: '\${vars.experiments[matrix.variant].cpu}'}
    timeout: '\${vars.experiments[matrix.variant].time}'
    salt: '\${vars.experiments[matrix.variant].salt}'
`).pipeline();
  expect(paramsOf(pipeline, 'model')).toEqual([
    {fold: 1, levels: 'h1/1/h1', sizes: [4, 5]},
    {fold: 2, levels: 'true/2/2', sizes: []},
    {fold: 3, levels: 'h1+h2/3/h1+h2', sizes: [1]},
  ]);
  expect(refsOf(pipeline, 'model', 'features')).toEqual([['part[n=1].out'], ['part[n=2].out'], ['part[n=1].out']]);
  const models = pipeline.nodes.filter(({name}) => name === 'model');
  expect(models.map(({seed, resources, timeoutMs, salt}) => [seed, resources.cpu, timeoutMs, salt])).toEqual([
    [7, 2, 300_000, 'x'],
    [8, 0.5, 60_000, '5'],
    [9, 1, 3_600_000, 'false'],
  ]);
});

test('binds looked-up references, lists of them, collections and nothing', async () => {
  const pipeline = await project({
    'file.txt': '',
    'pipeline.yaml': `version: 1
vars:
  weights: {plain: source, tuned: 'model[fold=2,kind=a].model', both: ['model[fold=*,kind=b].model', source]}
  items: {x: clips, y: made.out}
  split: {a: null, b: source}
sources: {source: file.txt, clips: {path: data, include: '*.wav'}}
nodes:
  made: {stage: make}
  model:
    stage: train
    matrix: {fold: [1, 2], kind: [a, b]}
    inputs: {features: made, split: '\${vars.split[matrix.kind]}'}
    params: {fold: '\${matrix.fold}'}
  merged: {stage: merge, matrix: {w: [plain, tuned, both]}, inputs: {parts: '\${vars.weights[matrix.w]}'}}
  listed: {stage: merge, matrix: {w: [plain, tuned]}, inputs: {parts: [source, '\${vars.weights[matrix.w]}']}}
  refined: {stage: refine, matrix: {i: [x, y]}, each: '\${vars.items[matrix.i]}'}
`,
  }).pipeline();
  expect(refsOf(pipeline, 'model', 'split')).toEqual([[], ['source'], [], ['source']]);
  expect(refsOf(pipeline, 'merged', 'parts')).toEqual([
    ['source'],
    ['model[fold=2,kind=a].model'],
    ['model[fold=1,kind=b].model', 'model[fold=2,kind=b].model', 'source'],
  ]);
  expect(refsOf(pipeline, 'listed', 'parts')).toEqual([
    ['source', 'source'],
    ['source', 'model[fold=2,kind=a].model'],
  ]);
  const each = pipeline.nodes.filter(({name}) => name === 'refined').map((node) => node.each?.[0]?.collection);
  expect(each).toEqual([
    {from: 'source', source: 'clips'},
    {from: 'node', node: 'made', output: 'out'},
  ]);
});

test('a list in a selector wants any of its values', async () => {
  const pipeline = await pipelineOf(`version: 1
vars:
  groups: {one: [b], two: [c, 'u|v'], all: [a, b, c, 'u|v']}
  some: [c, a]
nodes:
  made: {stage: make}
  base: {stage: train, matrix: {v: [a, b, c, 'u|v'], w: [1, 2]}, inputs: {features: made}, params: {fold: 1}}
  merged: {stage: merge, matrix: {g: [one, two, all]}, inputs: {parts: 'base[v=\${vars.groups[matrix.g]},w=1].model'}}
  fixed: {stage: merge, inputs: {parts: ['base[v=\${vars.some},w=2].model', 'base[v=a|b,w=1|2].model']}}
`).pipeline();
  expect(refsOf(pipeline, 'merged', 'parts')).toEqual([
    ['base[v=b,w=1].model'],
    ['base[v=c,w=1].model', 'base[v="u|v",w=1].model'],
    ['base[v=a,w=1].model', 'base[v=b,w=1].model', 'base[v=c,w=1].model', 'base[v="u|v",w=1].model'],
  ]);
  const both = ['base[v=a,w=1].model', 'base[v=a,w=2].model', 'base[v=b,w=1].model', 'base[v=b,w=2].model'];
  expect(refsOf(pipeline, 'fixed', 'parts')).toEqual([['base[v=a,w=2].model', 'base[v=c,w=2].model', ...both]]);
});

test('lists the names of a mapping', async () => {
  const pipeline = await pipelineOf(`version: 1
vars: {experiments: {h1+h2: {n: 1}, b: {n: 2}, '1': {n: 3}}, sizes: {p: {s: 4, t: 5}}}
nodes:
  made: {stage: make}
  model:
    stage: train
    matrix: {v: '\${vars.experiments[*]}', w: '\${vars.sizes.p[*]}'}
    inputs: {features: made}
    params: {fold: '\${vars.experiments[matrix.v].n}'}
`).pipeline();
  expect(pipeline.axes['model']).toEqual({v: ['1', 'h1+h2', 'b'], w: ['s', 't']});
});

test('goes several steps, through lists too, and keeps odd values one value', async () => {
  const pipeline = await pipelineOf(`version: 1
vars:
  a: {p: {b: {'1': x}, c: [5, 6, 7]}, q: {b: {'1': y, '2': z}, c: [8, 9, 10]}}
  rows: [{n: 2, sizes: {s: [9]}}, {n: 3, sizes: {s: []}}]
  odd: {one: 'u,v', two: '*', three: w}
  fixed: {h1+h2: {n: 4}}
nodes:
  base: {stage: make, matrix: {v: ['u,v', '*', w]}}
  steps:
    stage: train
    matrix: {x: [p, q], y: [1, 2], when: [{x: q}, {y: 1}]}
    inputs: {features: 'base[v=w]'}
    params: {fold: '\${vars.a[matrix.x].c[matrix.y]}', levels: '\${vars.a[matrix.x].b[matrix.y]}'}
  listed:
    stage: train
    matrix: {i: [0, 1], k: [one, two]}
    inputs: {features: 'base[v=\${vars.odd[matrix.k]}].out'}
    params: {fold: '\${vars.rows[matrix.i].n}', sizes: '\${vars.rows[matrix.i].sizes.s}'}
  fixed: {stage: train, inputs: {features: 'base[v=w]'}, params: {fold: '\${vars.fixed.h1+h2.n}'}}
`).pipeline();
  expect(paramsOf(pipeline, 'steps').map(({fold, levels}) => [fold, levels])).toEqual([
    [6, 'x'],
    [9, 'y'],
    [10, 'z'],
  ]);
  expect(paramsOf(pipeline, 'listed').map(({fold, sizes}) => [fold, sizes])).toEqual([
    [2, [9]],
    [2, [9]],
    [3, []],
    [3, []],
  ]);
  const [comma, star] = [['base[v="u,v"].out'], ['base[v="*"].out']];
  expect(refsOf(pipeline, 'listed', 'features')).toEqual([comma, star, comma, star]);
  expect(paramsOf(pipeline, 'fixed')).toMatchObject([{fold: 4}]);
});

test('takes all params of a node from one mapping', async () => {
  const pipeline = await pipelineOf(`version: 1
vars:
  rate: 0.25
  settings: {a: {count: 2, label: q}, b: {}, c: {label: '\${vars.rate}/1'}}
nodes:
  made: {stage: make, matrix: {model: [a, b, c]}, params: '\${vars.settings[matrix.model]}'}
  one: {stage: make, params: '\${vars.settings.a}'}
  told:
    command: [echo, '\${params.label}', '\${vars.settings[matrix.model].label}']
    matrix: {model: [a, c]}
    params: '\${vars.settings[matrix.model]}'
    env: {MODEL: '\${vars.settings[matrix.model].label}'}
    outputs: {o: '\${vars.settings[matrix.model].label}.txt'}
`).pipeline();
  expect(paramsOf(pipeline, 'made')).toEqual([
    {count: 2, label: 'q'},
    {count: 3, label: 'x'},
    {count: 3, label: '0.25/1'},
  ]);
  expect(paramsOf(pipeline, 'one')).toEqual([{count: 2, label: 'q'}]);
  expect(paramsOf(pipeline, 'told')).toEqual([
    {count: 2, label: 'q', $command: {argv: ['echo', 'q', 'q'], env: {MODEL: 'q'}}},
    {label: '0.25/1', $command: {argv: ['echo', '0.25/1', '0.25/1'], env: {MODEL: '0.25/1'}}},
  ]);
});

test('lists the different values of all members in order of first appearance', async () => {
  const pipeline = await pipelineOf(`version: 1
vars:
  experiments:
    b: {length: 6, copies: false, sizes: [1], deep: {er: [u, v]}}
    a: {length: 1, copies: true, sizes: [2, 1], deep: {er: [u]}}
    c: {length: '6', copies: false, sizes: [1], deep: {er: []}}
  lengths: '\${vars.experiments[*].length}'
  list: [3, 1, 3, '1']
nodes:
  segments:
    stage: train
    matrix: {length: '\${vars.experiments[*].length}', copies: '\${vars.experiments[*].copies}'}
    inputs: {features: made}
    params: {fold: '\${matrix.length}', levels: '\${matrix.copies}x'}
  made: {stage: make}
  told: {command: [echo, '\${vars.lengths}', '\${vars.list[*]}'], outputs: {o: o}}
  when: {stage: make, matrix: {n: [1, 2, 6], when: {n: '\${vars.experiments[*].length}'}}}
`).pipeline();
  expect(pipeline.axes['segments']).toEqual({length: [6, 1], copies: [false, true]});
  expect(pipeline.axes['when']).toEqual({n: [1, 6]});
  const told = pipeline.nodes.find(({name}) => name === 'told')?.command;
  expect(told?.form === 'argv' && told.argv).toEqual(['echo', '6', '1', '3', '1']);
});

test('lists the members below a chosen one', async () => {
  const pipeline = await pipelineOf(`version: 1
vars: {groups: {g: {p: {n: 2}, q: {n: 2}}, h: {r: {n: 5}, s: {n: 4}}}}
nodes:
  made: {stage: make}
  model:
    stage: train
    matrix: {group: [g, h]}
    inputs: {features: made}
    params: {fold: 1, sizes: '\${vars.groups[matrix.group][*].n}'}
`).pipeline();
  expect(paramsOf(pipeline, 'model').map(({sizes}) => sizes)).toEqual([[2], [5, 4]]);
});

test('takes rows of a matrix from variables', async () => {
  const pipeline = await pipelineOf(`version: 1
vars:
  some: [{x: 1, y: [a, b]}, {x: 2, y: a}]
  few: [{x: 1, y: a}]
  one: {x: 2}
  more: [{x: 9, y: z}]
nodes:
  when: {stage: make, matrix: {x: [1, 2], y: [a, b], when: '\${vars.some}'}}
  one: {stage: make, matrix: {x: [1, 2], y: [a, b], when: '\${vars.one}'}}
  without: {stage: make, matrix: {x: [1, 2], y: [a, b], exclude: '\${vars.few}', include: '\${vars.more}'}}
  rows: {stage: make, matrix: {include: '\${vars.few}'}}
`).pipeline();
  const idsOf = (name: string) => pipeline.nodes.filter((node) => node.name === name).map(({id}) => id);
  expect(idsOf('when')).toEqual(['when[x=1,y=a]', 'when[x=1,y=b]', 'when[x=2,y=a]']);
  expect(idsOf('one')).toEqual(['one[x=2,y=a]', 'one[x=2,y=b]']);
  expect(idsOf('without')).toEqual(['without[x=1,y=b]', 'without[x=2,y=a]', 'without[x=2,y=b]', 'without[x=9,y=z]']);
  expect(idsOf('rows')).toEqual(['rows[x=1,y=a]']);
});

type Column = 'n' | 'k' | 't' | 'level' | 'sizes';

test('expands as if the values were written out by hand', async () => {
  const {write, pipeline} = pipelineOf('version: 1\nnodes: {a: {stage: make}}');
  const nodesOf = async (document: Json) => {
    write('pipeline.yaml', JSON.stringify(document));
    const {nodes} = await pipeline();
    return nodes.map((node) => ({...node, range: undefined}));
  };
  const document = (
    names: readonly string[],
    table: Json,
    member: (name: Column) => Json,
    text: (name: Exclude<Column, 'sizes'>) => string,
  ): Json => ({
    version: 1,
    vars: {table},
    nodes: {
      base: {stage: 'make', matrix: {n: [1, 2, 3, 'k,l'], t: ['a', 'b,c', '*', 'x y', 'u]v', 'q"[']}},
      model: {
        stage: 'train',
        matrix: {v: names, repeat: [1, 2]},
        inputs: {features: `base[t=${text('t')},n=${text('k')}].out`},
        params: {fold: member('n'), levels: `<${text('level')}>`, sizes: member('sizes')},
        salt: `${text('level')}\${matrix.repeat}`,
        retries: member('n'),
      },
    },
  });
  const row = fc.record({
    n: fc.integer({min: 1, max: 3}),
    k: fc.constantFrom(1, 'k,l'),
    t: fc.constantFrom('a', 'b,c', '*', 'x y', 'u]v', 'q"['),
    level: fc.oneof(fc.constantFrom('h1+h2', 'q"]', '', '\u00e9'), fc.boolean(), fc.integer()),
    sizes: fc.array(fc.integer({min: 0, max: 9}), {maxLength: 3}),
  });
  const key = fc.constantFrom('h1', 'h1+h2', '1', 'F-h1', 'with space', 'a,b', '__proto', 'constructor');
  const rows = fc.uniqueArray(fc.tuple(key, row), {selector: ([name]) => name, minLength: 1, maxLength: 3});
  await fc.assert(
    fc.asyncProperty(rows, async (entries) => {
      const names = entries.map(([name]) => name);
      const reference = (name: string) => `\${vars.table[matrix.v].${name}}`;
      const looked = await nodesOf(document(names, Object.fromEntries(entries), reference, reference));
      const written: typeof looked = [];
      for (const [name, values] of entries) {
        const value = (member: Column) => values[member];
        const text = (member: Exclude<Column, 'sizes'>) =>
          member === 't' || member === 'k' ? JSON.stringify(String(values[member])) : String(values[member]);
        const nodes = await nodesOf(document([name], {}, value, text));
        written.push(...nodes.filter((node) => node.name === 'model'));
      }
      expect(looked.filter((node) => node.name === 'model')).toEqual(written);
    }),
    {numRuns: 12},
  );
});
