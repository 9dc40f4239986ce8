import {describe, expect, it} from 'vitest';
import {project} from './support.ts';

const stages = {
  'stages/net.ts': `import {defineStage} from 'mixdown/stage';
export default defineStage({
  name: 'net', summary: 'x', params: {}, inputs: {}, numericBackend: true,
  outputs: {out: {kind: 'file', name: 'out', about: 'x'}}, run() {},
});
`,
  'stages/plain.ts': `import {defineStage} from 'mixdown/stage';
export default defineStage({
  name: 'plain', summary: 'x', params: {}, inputs: {}, outputs: {out: {kind: 'file', name: 'out', about: 'x'}}, run() {},
});
`,
};

function pipelineOf(nodes: string): ReturnType<typeof project> {
  return project({...stages, 'pipeline.yaml': `version: 1\nvars: {best: wasm}\nnodes:\n${nodes}\n`});
}

describe('the engine of a node', () => {
  it('is what it names: as text, by a variable, by an axis; or none', async () => {
    const {nodes} = await pipelineOf(`  a: {stage: net, engine: onnx-blas}
  b: {stage: net, engine: '\${vars.best}'}
  c: {stage: net, matrix: {with: [cpu, tensorflow-gpu]}, engine: '\${matrix.with}'}
  d: {stage: net}`).pipeline();
    expect(nodes.map(({id, engine}) => [id, engine])).toEqual([
      ['a', 'onnx-blas'],
      ['b', 'wasm'],
      ['c[with=cpu]', 'cpu'],
      ['c[with=tensorflow-gpu]', 'tensorflow-gpu'],
      ['d', undefined],
    ]);
    expect(nodes[4]).not.toHaveProperty('engine');
  });

  it('must be one that there is, of a stage that computes with one', async () => {
    const mistakes = await pipelineOf(`  a: {stage: net, engine: onnxblas}
  b: {stage: plain, engine: wasm}`).mistakes();
    expect(mistakes).toMatchInlineSnapshot(`
      "
      pipeline.yaml:4:27: \`engine\` must be one of the tensor engines tensorflow-gpu, tensorflow-cpu, webgpu, onnx-blas, wasm, cpu, not the text \`onnxblas\` [bad-value]
        2 | vars: {best: wasm}
        3 | nodes:
      > 4 |   a: {stage: net, engine: onnxblas}
          |                           ~~~~~~~~
        5 |   b: {stage: plain, engine: wasm}
        hint: did you mean \`onnx-blas\`?

      pipeline.yaml:5:21: stage \`plain\` does not compute with a tensor engine [bad-value]
        3 | nodes:
        4 |   a: {stage: net, engine: onnxblas}
      > 5 |   b: {stage: plain, engine: wasm}
          |                     ~~~~~~
        hint: remove \`engine\`, or let the stage say \`numericBackend: true\`

      2 problems
      "
    `);
  });

  it('is nothing for a command', async () => {
    const mistakes = await pipelineOf(`  a: {command: [touch, x], outputs: {x: x}, engine: wasm}`).mistakes();
    expect(mistakes).toContain('`engine`');
  });
});
