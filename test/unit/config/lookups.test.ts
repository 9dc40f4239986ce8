import {expect, test} from 'vitest';
import type {Pipeline} from '../../../src/core/pipeline.ts';
import {pipelineOf} from './support.ts';

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
