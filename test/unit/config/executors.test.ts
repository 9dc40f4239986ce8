import {expect, it} from 'vitest';
import {defaultSlurmProfile} from '../../../src/core/executor.ts';
import {pipelineOf} from './support.ts';

const node = 'shell: sh, script: x, outputs: {out: out.txt}';

it('a node runs where it says: as text, by a variable, by an axis; and a command as well as a stage', async () => {
  const {nodes} = await pipelineOf(`version: 1
vars: {where: slurm}
nodes:
  a: {${node}, executor: slurm}
  b: {${node}, executor: '\${vars.where}'}
  c: {${node}, matrix: {at: [local, slurm]}, executor: '\${matrix.at}'}
  d: {${node}}
`).pipeline();
  expect(nodes.map(({id, executor}) => [id, executor])).toEqual([
    ['a', 'slurm'],
    ['b', 'slurm'],
    ['c[at=local]', 'local'],
    ['c[at=slurm]', 'slurm'],
    ['d', undefined],
  ]);
  expect(nodes[4]).not.toHaveProperty('executor');
});

it('the site says how its Slurm is used; what it leaves open has a default', async () => {
  const pipeline = await pipelineOf(`version: 1
nodes: {a: {${node}}}
executors:
  slurm: {partition: gpu, account: lab, time: 4h, poll: 5s, extra: [--qos=low], maxSubmitted: 20, node: /sw/node}
`).pipeline();
  expect(pipeline.slurm).toEqual({
    ...defaultSlurmProfile,
    partition: 'gpu',
    account: 'lab',
    timeMs: 14_400_000,
    pollMs: 5000,
    extra: ['--qos=low'],
    maxSubmitted: 20,
    node: '/sw/node',
  });
  expect(await pipelineOf(`version: 1\nnodes: {a: {${node}}}\n`).pipeline()).not.toHaveProperty('slurm');
});

it('an override sets what a site needs, also where the file says nothing of executors', async () => {
  const {pipeline, mistakes} = pipelineOf(`version: 1\nnodes: {a: {${node}}}\n`);
  const {slurm} = await pipeline({overrides: ['executors.slurm.partition=gpu', 'executors.slurm.extra=["--qos=low"]']});
  expect(slurm).toEqual({...defaultSlurmProfile, partition: 'gpu', extra: ['--qos=low']});
  expect(await mistakes({overrides: ['executors.slrm.partition=gpu']})).toContain('unknown key `slrm`');
});

it('a profile sets how its site is used, setting by setting', async () => {
  const {pipeline} = pipelineOf(`version: 1
nodes: {a: {${node}}}
executors: {slurm: {partition: cpu, account: lab, extra: [--qos=low]}}
profiles:
  big: {executors: {slurm: {partition: gpu, extra: [--exclusive]}}}
`);
  const {slurm} = await pipeline({profiles: ['big']});
  expect(slurm).toEqual({...defaultSlurmProfile, partition: 'gpu', account: 'lab', extra: ['--exclusive']});
  expect((await pipeline({})).slurm).toMatchObject({partition: 'cpu', extra: ['--qos=low']});
  expect((await pipeline({profiles: ['big'], overrides: ['executors.slurm.partition=fat']})).slurm).toMatchObject({
    partition: 'fat',
    extra: ['--exclusive'],
  });
  expect(
    await pipelineOf(`version: 1
nodes: {a: {${node}}}
profiles: {wrong: {executors: {slurm: {time: 0}}}}
`).mistakes({profiles: ['wrong']}),
  ).toContain('pipeline.yaml:3:');
});

it('mistakes are told with their places', async () => {
  const mistakes = await pipelineOf(`version: 1
nodes:
  a: {${node}, executor: slrum}
  b: {${node}, matrix: {at: [nowhere]}, executor: '\${matrix.at}'}
executors:
  slurm: {partiton: gpu, time: long, extra: [gpu], maxSubmitted: 0}
`).mistakes();
  expect(mistakes).toMatchInlineSnapshot(`
    "
    pipeline.yaml:3:64: \`executor\` must be \`local\` or \`slurm\`, not the text \`slrum\` [schema-violation]
      1 | version: 1
      2 | nodes:
    > 3 |   a: {shell: sh, script: x, outputs: {out: out.txt}, executor: slrum}
        |                                                                ~~~~~
      4 |   b: {shell: sh, script: x, outputs: {out: out.txt}, matrix: {at: [nowhere]}, executor: '\${matrix.at}'}
      5 | executors:

    pipeline.yaml:4:89: \`executor\` must be \`local\` or \`slurm\`, not the text \`nowhere\` (through \${matrix.at}) [bad-value]
      2 | nodes:
      3 |   a: {shell: sh, script: x, outputs: {out: out.txt}, executor: slrum}
    > 4 |   b: {shell: sh, script: x, outputs: {out: out.txt}, matrix: {at: [nowhere]}, executor: '\${matrix.at}'}
        |                                                                                         ~~~~~~~~~~~~~~
      5 | executors:
      6 |   slurm: {partiton: gpu, time: long, extra: [gpu], maxSubmitted: 0}

    pipeline.yaml:6:11: unknown key \`partiton\` in \`slurm\` [unknown-key]
      4 |   b: {shell: sh, script: x, outputs: {out: out.txt}, matrix: {at: [nowhere]}, executor: '\${matrix.at}'}
      5 | executors:
    > 6 |   slurm: {partiton: gpu, time: long, extra: [gpu], maxSubmitted: 0}
        |           ~~~~~~~~
      hint: did you mean \`partition\`?

    pipeline.yaml:6:32: \`time\` must be a time such as \`90s\`, \`15m\`, \`2h\`, \`1d\`, or a number of seconds above 0, not the text \`long\` [schema-violation]
      4 |   b: {shell: sh, script: x, outputs: {out: out.txt}, matrix: {at: [nowhere]}, executor: '\${matrix.at}'}
      5 | executors:
    > 6 |   slurm: {partiton: gpu, time: long, extra: [gpu], maxSubmitted: 0}
        |                                ~~~~

    pipeline.yaml:6:46: item 1 of \`extra\` must be an option such as --qos=low, not the text \`gpu\` [schema-violation]
      4 |   b: {shell: sh, script: x, outputs: {out: out.txt}, matrix: {at: [nowhere]}, executor: '\${matrix.at}'}
      5 | executors:
    > 6 |   slurm: {partiton: gpu, time: long, extra: [gpu], maxSubmitted: 0}
        |                                              ~~~

    pipeline.yaml:6:66: \`maxSubmitted\` must be a whole number above 0, not \`0\` [schema-violation]
      4 |   b: {shell: sh, script: x, outputs: {out: out.txt}, matrix: {at: [nowhere]}, executor: '\${matrix.at}'}
      5 | executors:
    > 6 |   slurm: {partiton: gpu, time: long, extra: [gpu], maxSubmitted: 0}
        |                                                                  ~

    6 problems
    "
  `);
});
