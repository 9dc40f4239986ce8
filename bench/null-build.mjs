// A build with nothing to do, on a generated pipeline: mixdown beside ninja and beside Node's own start.
//
//   node bench/null-build.mjs [nodes=10000] [runs=7] [shape=list|matrix]
//
// `list` writes every node out in YAML, `matrix` declares them as one matrix. Each node reads one of a hundred source
// files. The three commands take turns, so that a drift of the machine meets all of them; medians and ratios count.
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const options = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const nodes = Number(options.nodes ?? 10_000);
const runs = Number(options.runs ?? 7);
const shape = options.shape ?? 'list';
const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'mixdown-bench-'));

const sources = Array.from({length: 100}, (_, i) => `s${i}`);
mkdirSync(join(root, 'data'));
mkdirSync(join(root, 'stages'));
for (const name of sources) writeFileSync(join(root, 'data', name), `${name}\n`);
writeFileSync(
  join(root, 'stages', 'copy.ts'),
  `import {copyFileSync} from 'node:fs';
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
`,
);
writeFileSync(join(root, 'pipeline.yaml'), shape === 'matrix' ? matrixPipeline() : listPipeline());
writeFileSync(join(root, 'build.ninja'), ninjaFile());

try {
  const hasNinja = spawnSync('ninja', ['--version']).status === 0;
  console.log(`${nodes} nodes, ${shape}; first build ...`);
  console.log(`  mixdown ${time(process.execPath, [cli, 'run', '--quiet'])} ms`);
  if (hasNinja) console.log(`  ninja   ${time('ninja', ['--quiet'])} ms`);
  else console.log('  ninja is not installed: left out');
  const commands = {
    'node -e 0': [process.execPath, ['-e', '0']],
    ...(hasNinja ? {ninja: ['ninja', ['--quiet']]} : {}),
    mixdown: [process.execPath, [cli, 'run', '--quiet']],
    'mixdown plan': [process.execPath, [cli, 'plan', '--quiet']],
  };
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let run = 0; run <= runs; run++) {
    for (const [name, [command, args]] of Object.entries(commands)) {
      const ms = time(command, args);
      if (run > 0) times[name].push(ms);
    }
  }
  const floor = median(times['node -e 0']);
  for (const [name, list] of Object.entries(times)) {
    const mid = median(list);
    console.log(
      `${name.padEnd(13)} median ${String(mid).padStart(6)} ms  (${Math.min(...list)} ... ${Math.max(...list)})  ${(mid / floor).toFixed(1)} x node -e 0`,
    );
  }
} finally {
  rmSync(root, {recursive: true, force: true});
}

function time(command, args) {
  const start = process.hrtime.bigint();
  execFileSync(command, args, {cwd: root, stdio: ['ignore', 'ignore', 'inherit']});
  return Number((process.hrtime.bigint() - start) / 1_000_000n);
}

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1];
}

function listPipeline() {
  const lines = ['version: 1', 'sources:', ...sources.map((name) => `  ${name}: data/${name}`), 'nodes:'];
  for (let n = 0; n < nodes; n++) {
    lines.push(
      `  n${n}:`,
      '    stage: copy',
      `    inputs: {file: ${sources[n % sources.length]}}`,
      `    params: {n: ${n}}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function matrixPipeline() {
  const perSource = Math.ceil(nodes / sources.length);
  const lines = ['version: 1', 'sources:', ...sources.map((name) => `  ${name}: data/${name}`), 'nodes:'];
  lines.push(
    '  copy:',
    '    stage: copy',
    `    matrix: {source: [${sources.join(', ')}], n: [${[...Array(perSource).keys()].join(', ')}]}`,
  );
  lines.push("    inputs: {file: '${matrix.source}'}", "    params: {n: '${matrix.n}'}");
  return `${lines.join('\n')}\n`;
}

function ninjaFile() {
  const lines = ['rule copy', '  command = cp $in $out'];
  for (let n = 0; n < nodes; n++) lines.push(`build out/n${n}: copy data/${sources[n % sources.length]}`);
  return `${lines.join('\n')}\n`;
}
