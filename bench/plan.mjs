// How long a large pipeline takes to load and to plan when nothing was ever built, and how much memory it needs.
//
//   node bench/plan.mjs [runs=3] [sizes=1000,10000,100000]
//
// A matrix of two layers: the second reads the first, variant by variant. Time and memory must grow with the nodes, not
// faster. Run `npm run build` first.
import {compare, inScratch, measure, mixdown, readOptions, writeFiles} from './measure.mjs';

const {runs, sizes} = readOptions({runs: 3, sizes: '1000,10000,100000'});

const stage = `import {copyFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'copy',
  summary: 'Copies a file.',
  params: {n: {type: 'integer', about: 'makes the nodes differ'}},
  inputs: {file: {kind: 'file', about: 'any file'}},
  outputs: {copy: {kind: 'file', name: 'copy', about: 'the same bytes'}},
  run({inputs, outputs}) {
    copyFileSync(inputs.file, outputs.copy);
  },
});
`;

/** @param {number} nodes */
function pipeline(nodes) {
  /** @param {number} count */
  const list = (count) => `[${[...Array(count).keys()].join(', ')}]`;
  const matrix = `{a: ${list(Math.round(nodes / 2 / 100))}, b: ${list(100)}}`;
  return `version: 1
sources: {text: text.txt}
nodes:
  first:
    stage: copy
    matrix: ${matrix}
    inputs: {file: text}
    params: {n: '\${matrix.a}'}
  second:
    stage: copy
    matrix: ${matrix}
    inputs: {file: 'first[a=\${matrix.a},b=\${matrix.b}]'}
    params: {n: '\${matrix.b}'}
`;
}

const counts = sizes.split(',').map(Number);
inScratch((root) => {
  /** @type {Parameters<typeof compare>[1]} */
  const commands = {'node -e 0': () => measure(root, process.execPath, ['-e', '0'])};
  for (const nodes of counts) {
    const project = `${root}/${nodes}`;
    writeFiles(project, {'text.txt': 'text\n', 'stages/copy.ts': stage, 'pipeline.yaml': pipeline(nodes)});
    commands[`load ${nodes} nodes`] = () => mixdown(project, 'validate', '--quiet');
    commands[`plan ${nodes} nodes`] = () => mixdown(project, 'plan', '--quiet');
  }
  compare(runs, commands);
});
