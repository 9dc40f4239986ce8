// A build with nothing to do, on a generated pipeline: mixdown beside ninja and beside Node's own start.
//
//   node bench/null-build.mjs [nodes=10000] [runs=7] [shape=list|layers|matrix] [tensors=0]
//
// `list`: independent nodes, all of them targets, each written out in YAML. `layers`: the same, but each node reads a node of
// the layer above, 100 wide, and one last node reads the last layer: one target. `matrix`: `list` declared as one matrix.
// `tensors=1`: the nodes compute with a tensor engine, which is looked for on the first plan and remembered afterwards.
// The commands take turns; medians and ratios count. Run `npm run build` first.
import {spawnSync} from 'node:child_process';
import {compare, inScratch, measure, mixdown, ms, readOptions, writeFiles} from './measure.mjs';

const {nodes, runs, shape, tensors} = readOptions({nodes: 10_000, runs: 7, shape: 'list', tensors: 0});
const width = 100;
const sources = Array.from({length: width}, (_, i) => `s${i}`);

const stage = `import {readFileSync, writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'join',
  summary: 'Joins texts and adds a number.',
  params: {n: {type: 'integer', about: 'makes the nodes differ'}},
  inputs: {texts: {kind: 'file', many: true, about: 'any texts'}},
  outputs: {text: {kind: 'file', name: 'text', about: 'the texts and the number'}},
  numericBackend: ${tensors > 0},
  run({params, inputs, outputs}) {
    writeFileSync(outputs.text, inputs.texts.map((text) => readFileSync(text, 'utf8')).join('').slice(0, 100) + params.n);
  },
});
`;

/** @param {number} n */
const inputOf = (n) => (shape === 'layers' && n >= width ? `n${n - width}` : sources[n % width]);
const last = Array.from({length: width}, (_, i) => `n${nodes - width + i}`);

function pipeline() {
  const head = ['version: 1', 'sources:', ...sources.map((name) => `  ${name}: data/${name}`), 'nodes:'];
  if (shape === 'matrix') {
    const numbers = [...Array(Math.ceil(nodes / width)).keys()].join(', ');
    const axes = `{source: [${sources.join(', ')}], n: [${numbers}]}`;
    const node = [
      'stage: join',
      `matrix: ${axes}`,
      "inputs: {texts: '${matrix.source}'}",
      "params: {n: '${matrix.n}'}",
    ];
    return [...head, '  join:', ...node.map((line) => `    ${line}`), ''].join('\n');
  }
  /** @type {(name: string, inputs: string, n: number) => string} */
  const section = (name, inputs, n) => `  ${name}: {stage: join, inputs: {texts: ${inputs}}, params: {n: ${n}}}`;
  const list = Array.from({length: nodes}, (_, n) => section(`n${n}`, inputOf(n), n));
  const end = shape === 'layers' ? [section('all', `[${last.join(', ')}]`, nodes)] : [];
  return [...head, ...list, ...end, ''].join('\n');
}

function ninjaFile() {
  /** @param {string} name */
  const path = (name) => (name.startsWith('s') ? `data/${name}` : `out/${name}`);
  const lines = ['rule copy', '  command = cp $in $out', 'rule cat', '  command = cat $in > $out'];
  for (let n = 0; n < nodes; n++) lines.push(`build out/n${n}: copy ${path(inputOf(n))}`);
  if (shape === 'layers') lines.push(`build out/all: cat ${last.map(path).join(' ')}`);
  return `${lines.join('\n')}\n`;
}

inScratch((root) => {
  writeFiles(root, Object.fromEntries(sources.map((name) => [`data/${name}`, `${name}\n`])));
  writeFiles(root, {'stages/join.ts': stage, 'pipeline.yaml': pipeline(), 'build.ninja': ninjaFile()});
  const ninja = spawnSync('ninja', ['--version']).status === 0 ? () => measure(root, 'ninja', ['--quiet']) : undefined;
  if (!ninja) console.log('ninja is not installed: left out');
  const plans = [mixdown(root, 'plan', '--quiet'), mixdown(root, 'plan', '--quiet')];
  console.log(`first plan ${plans.map(({wallMs}) => ms(wallMs)).join(', second')}`);
  const firsts = {mixdown: mixdown(root, 'run', '--quiet'), ...(ninja ? {ninja: ninja()} : {})};
  for (const [name, {wallMs, cpuMs}] of Object.entries(firsts)) {
    const rate = (nodes / wallMs) * 1000;
    console.log(
      `first build of ${nodes} nodes, ${shape}: ${name} ${ms(wallMs)}, cpu ${ms(cpuMs)}, ${rate.toFixed(0)} nodes/s`,
    );
  }
  compare(runs, {
    'node -e 0': () => measure(root, process.execPath, ['-e', '0']),
    ...(ninja ? {ninja} : {}),
    'mixdown --help': () => mixdown(root, '--help'),
    'mixdown plan': () => mixdown(root, 'plan', '--quiet'),
    'mixdown run': () => mixdown(root, 'run', '--quiet'),
  });
});
