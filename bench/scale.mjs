// Pipelines of many nodes and collections of many items: what each step costs in time and memory, with a remote cache or without.
//
//   node bench/scale.mjs [nodes=1000,10000] [items=10000] [remote=no] [minutes=5]
//
// `nodes`: two layers of a matrix, the second reads the first, variant by variant, and one node more that is changed. `items`: one
// node with `each` over so many files of twenty bytes. The stages are real and run in the warm workers of this machine: each writes
// one small file. `remote=nginx` sends everything to nginx on this machine and fetches it into a second checkout. A step
// that takes longer than `minutes` ends its row. Run `npm run build` first.
import {spawnSync} from 'node:child_process';
import {appendFileSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {loadavg} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {inScratchAsync, ms, readOptions, shout, writeFiles} from './measure.mjs';
import {startNginx} from './nginx.mjs';

const {nodes, items, remote, minutes} = readOptions({nodes: '1000,10000', items: '10000', remote: 'no', minutes: 5});
const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

const stage = `import {readFileSync, writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'append',
  summary: 'Appends two numbers.',
  params: {a: {type: 'integer', about: 'a number'}, b: {type: 'integer', about: 'a number'}},
  inputs: {file: {kind: 'file', about: 'any text'}},
  outputs: {out: {kind: 'file', name: 'out', about: 'the text and the numbers'}},
  run({inputs, outputs, params}) {
    writeFileSync(outputs.out, readFileSync(inputs.file, 'utf8') + params.a + ' ' + params.b);
  },
});
`;

/**
 * @param {number} count
 * @param {number} change
 */
function manyNodes(count, change) {
  /** @param {number} length */
  const list = (length) => `[${[...Array(length).keys()].join(', ')}]`;
  const matrix = `{a: ${list(Math.max(1, Math.round(count / 200)))}, b: ${list(100)}}`;
  const variant = `stage: append, matrix: ${matrix}, params: {a: '\${matrix.a}', b: '\${matrix.b}'}`;
  return `version: 1
sources: {text: text.txt}
nodes:
  first: {${variant}, inputs: {file: text}}
  second: {${variant}, inputs: {file: 'first[a=\${matrix.a},b=\${matrix.b}]'}}
  one: {stage: append, inputs: {file: text}, params: {a: ${change}, b: 0}}
`;
}

const manyItems = `version: 1
sources: {texts: {path: texts, include: '**/*.txt'}}
nodes: {loud: {stage: shout, each: texts}}
`;

/**
 * @param {string} project
 * @param {string} what
 * @param {readonly string[]} args
 * @returns {boolean} whether the next step may be tried
 */
function step(project, what, ...args) {
  const begun = process.hrtime.bigint();
  // `timeout` kills what the command started, too.
  const limited = ['-s', 'KILL', `${minutes}m`, '/usr/bin/time', '-f', '%U %S %M', process.execPath, cli, ...args];
  const run = spawnSync('timeout', [...limited, '--quiet'], {cwd: project, stdio: ['ignore', 'ignore', 'pipe']});
  const wallMs = Number(process.hrtime.bigint() - begun) / 1e6;
  const lines = String(run.stderr).trimEnd().split('\n');
  const [user = 0, system = 0, kib = 0] = (lines.at(-1) ?? '').split(' ').map(Number);
  const load = loadavg()[0]?.toFixed(1);
  if (run.status === 0) {
    const cpuMs = (user + system) * 1000;
    console.log(
      `  ${what.padEnd(26)} wall ${ms(wallMs)}  cpu ${ms(cpuMs)}  ${(kib / 1024).toFixed(0).padStart(5)} MiB  load ${load}`,
    );
    return true;
  }
  const why = run.signal === null ? lines.slice(-6).join(' | ') : `stopped after ${minutes} min`;
  console.log(`  ${what.padEnd(26)} failed: ${why}`);
  return false;
}

/**
 * @param {string} root
 * @param {string} name
 * @param {(project: string) => void} write
 * @param {(project: string) => void} change
 * @param {string | undefined} url
 */
function measureOne(root, name, write, change, url) {
  console.log(name);
  const [maker, reader] = [join(root, 'maker'), join(root, 'reader')];
  write(maker);
  process.env['MIXDOWN_CACHE'] = 'off';
  const built =
    step(maker, 'plan, nothing built', 'plan') &&
    step(maker, 'first run', 'run') &&
    step(maker, 'plan, all built', 'plan') &&
    step(maker, 'nothing to do', 'run');
  if (built) {
    change(maker);
    step(maker, 'one change', 'run');
  }
  if (built && url !== undefined) {
    process.env['MIXDOWN_CACHE'] = url;
    write(reader);
    change(reader);
    if (step(maker, 'push', 'cache', 'push') && step(reader, 'plan, all is elsewhere', 'plan')) {
      step(reader, 'run, all is elsewhere', 'run');
      step(reader, 'nothing to do', 'run');
      step(reader, 'pull the rest', 'cache', 'pull');
    }
  }
  rmSync(maker, {recursive: true, force: true});
  rmSync(reader, {recursive: true, force: true});
}

await inScratchAsync(async (root) => {
  process.env['XDG_CONFIG_HOME'] = root;
  const server = remote === 'nginx' ? await startNginx(root) : undefined;
  try {
    for (const count of counts(nodes)) {
      /** @param {number} n */
      const write = (n) => (/** @type {string} */ project) =>
        writeFiles(project, {'text.txt': 'text\n', 'stages/append.ts': stage, 'pipeline.yaml': manyNodes(count, n)});
      measureOne(root, `${count} nodes`, write(1), write(2), server && `${server.url}/nodes-${count}`);
    }
    for (const count of counts(items)) {
      const write = (/** @type {string} */ project) => {
        writeFiles(project, {'stages/shout.ts': shout, 'pipeline.yaml': manyItems});
        for (let n = 0; n < count; n++) {
          const folder = `${project}/texts/${Math.floor(n / 1000)}`;
          if (n % 1000 === 0) mkdirSync(folder, {recursive: true});
          writeFileSync(`${folder}/${n}.txt`, `this is text number ${n}\n`);
        }
      };
      const change = (/** @type {string} */ project) => appendFileSync(`${project}/texts/0/0.txt`, 'more\n');
      measureOne(root, `${count} items`, write, change, server && `${server.url}/items-${count}`);
    }
  } finally {
    server?.stop();
  }
});

/** @param {string} list */
function counts(list) {
  return list
    .split(',')
    .map(Number)
    .filter((count) => count > 0);
}
