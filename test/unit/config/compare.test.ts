import {describe, expect, it} from 'vitest';
import {project} from './support.ts';

const stage = (compare: string, metrics = ''): string => `import {defineStage} from 'mixdown/stage';
export default defineStage({
  name: 'score', summary: 'x', params: {}, inputs: {}, ${metrics}
  outputs: {out: {kind: 'file', name: 'out.json', compare: ${compare}, about: 'x'}}, run() {},
});
`;

function pipelineOf(compare: string, metrics?: string, yaml = 'a: {stage: score}'): ReturnType<typeof project> {
  return project({'stages/score.ts': stage(compare, metrics), 'pipeline.yaml': `version: 1\nnodes:\n  ${yaml}\n`});
}

describe('how an output is compared', () => {
  it('is said by its stage, for its metrics too', async () => {
    const {nodes} = await pipelineOf("{as: 'json', digits: 3}", 'compareMetrics: {relative: 0.1},').pipeline();
    expect(nodes[0]?.outputs['out']?.compare).toEqual({as: 'json', digits: 3});
    expect(nodes[0]?.compareMetrics).toEqual({relative: 0.1});
    expect((await pipelineOf("'none'").pipeline()).nodes[0]).not.toHaveProperty('compareMetrics');
  });

  it('is said by a command node', async () => {
    const yaml =
      "a: {command: ['true'], outputs: {t: {path: t.csv, compare: {as: csv, absolute: 0.1}}, u: {path: u, compare: none}}}";
    const {nodes} = await pipelineOf("'none'", '', yaml).pipeline();
    expect(nodes[0]?.outputs).toEqual({
      t: {kind: 'file', name: 't.csv', compare: {as: 'csv', absolute: 0.1}},
      u: {kind: 'file', name: 'u', compare: 'none'},
    });
  });

  it('is said by a node of a stage, instead of what the stage says', async () => {
    const yaml = 'a: {stage: score, compare: {out: {as: text, digits: 1}}}';
    const {nodes} = await pipelineOf("'none'", '', yaml).pipeline();
    expect(nodes[0]?.outputs['out']).toMatchObject({name: 'out.json', compare: {as: 'text', digits: 1}});
    const wrong = 'a: {stage: score, compare: {uot: none}}';
    expect(await pipelineOf("'none'", '', wrong).mistakes()).toMatch(
      /has no output `uot`.*\n(?:.*\n)*.*did you mean `out`/,
    );
  });

  it('must be a way that there is', async () => {
    const mistakes = await pipelineOf("{as: 'xml', absolute: -1, more: 2}", "compareMetrics: 'always',").mistakes();
    expect(mistakes).toMatch(/xml/);
    expect(mistakes).toMatch(/absolute/);
    expect(mistakes).toMatch(/more/);
    expect(mistakes).toMatch(/compareMetrics/);
    const yaml = "a: {command: ['true'], outputs: {t: {path: t.csv, compare: {absolute: 0.1}}}}";
    expect(await pipelineOf("'none'", '', yaml).mistakes()).toMatch(/`as`|as/);
  });
});
