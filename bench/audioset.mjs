// How long the released AudioSet features take to become arrays, and how much memory that needs; then batches of them, as
// train-tagger draws and reads them.
//
//   node bench/audioset.mjs [data=FOLDER classes=class_labels_indices.csv] [clips=50000,2041789] [runs=3]
//
// `data` has a folder of .tfrecord files for each split; without it only invented shards are read, 4096 for each number of
// `clips`. They take 2.8 KiB a clip, shards and arrays, on the disk of TMPDIR, on which upper and lower case must be two.
// Run `npm run build` first.
import {mkdirSync, readdirSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {basename, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {buildSync} from 'esbuild';
import {inScratch, measure, median, mixdown, ms, readOptions, writeFiles} from './measure.mjs';

const {data, classes, clips, runs} = readOptions({data: '', classes: '', clips: '50000,2041789', runs: 3});
const BATCHES = 200;

/** Runs a stage in a process of its own. Folders are given as trees. */
const runner = `import {readdirSync, statSync} from 'node:fs';
const {stage, params, inputs, outputs} = JSON.parse(process.argv[2]);
const {default: spec} = await import(stage);
const tree = (folder) => ({
  entries: readdirSync(folder).sort().map((path) => {
    const file = folder + '/' + path;
    return {path, key: path.replace(/\\.[^.]*$/, ''), file, size: statSync(file).size};
  }),
});
for (const name in inputs) if (spec.inputs[name].kind === 'tree') inputs[name] = tree(inputs[name]);
const signal = new AbortController().signal;
await spec.run({params, inputs, outputs, seed: 1, signal, log() {}, progress() {}, metric() {}});
`;

/** Draws batches and reads them from the arrays. */
const drawer = `import {openTaggedClips} from './tagged-clips.mjs';
import {balancedSampler, shuffledSampler} from './sampler.mjs';
const [, , balanced, batches] = process.argv;
const clips = openTaggedClips(['features.npy'], ['targets.npy'], 527, 'the clips');
const all = Int32Array.from({length: clips.count}, (_, row) => row);
const sampler = balanced === 'true' ? balancedSampler(clips.members(all, 'row'), {seed: 1}) : shuffledSampler(all, {seed: 1});
const rows = new Int32Array(500);
for (let i = 0; i < batches; i++) {
  sampler.next(rows);
  clips.batch(rows);
}
`;

/** Reads every byte of a folder: no reader is faster. */
const reader = `const {readdirSync, readFileSync} = require('node:fs');
for (const name of readdirSync(process.argv[1])) readFileSync(process.argv[1] + '/' + name);
`;

inScratch((root) => {
  for (const name of ['audioset-features', 'lib/tagging/tagged-clips', 'lib/learning/sampler']) {
    compile(`${name}.ts`, join(root, `${basename(name)}.mjs`), 'esm');
  }
  compile('lib/formats/crc32c.ts', join(root, 'crc32c.cjs'), 'cjs');
  const {maskedCrc32c} = createRequire(import.meta.url)(join(root, 'crc32c.cjs'));
  writeFiles(root, {'run.mjs': runner, 'draw.mjs': drawer, 'class_labels_indices.csv': classTable()});
  if (data !== '') {
    for (const split of splitsOf(data)) ingest(root, split, resolve(data, split), resolve(classes));
    build(root);
  }
  for (const count of clips.split(',').map(Number)) {
    const shards = join(root, 'shards');
    invent(shards, count, maskedCrc32c);
    ingest(root, `${count} invented clips`, shards, join(root, 'class_labels_indices.csv'));
    rmSync(shards, {recursive: true});
    sample(root, count, true);
    sample(root, count, false);
  }
});

/**
 * @param {string} root
 * @param {string} title
 * @param {string} shards
 * @param {string} table
 */
function ingest(root, title, shards, table) {
  const bytes = readdirSync(shards).reduce((sum, name) => sum + statSync(join(shards, name)).size, 0);
  report(
    `${title}: read only`,
    times(() => measure(root, process.execPath, ['-e', reader, shards])),
    bytes / 2 ** 20,
    'MiB',
  );
  const outputs = outputsOf(root, ['features.npy', 'targets.npy', 'clips.csv', 'classes.csv', 'skipped.csv']);
  const run = stage(root, 'audioset-features', {
    params: {vectors: 10, fill: 'repeat', onBadRecord: 'fail'},
    inputs: {shards, classes: table},
    outputs,
  });
  report(`${title}: arrays`, times(run), Math.round((statSync(outputs['features'] ?? '').size - 128) / 1280), 'clips');
}

/**
 * @param {string} root
 * @param {number} count
 * @param {boolean} balanced
 */
function sample(root, count, balanced) {
  const draw = () => measure(root, process.execPath, ['draw.mjs', String(balanced), String(BATCHES)]);
  const title = `${count} clips: ${BATCHES} ${balanced ? 'balanced' : 'plain'} batches of 500`;
  report(title, times(draw), BATCHES, 'batches');
}

/**
 * The same as a build: the sources hashed, the arrays in the store.
 *
 * @param {string} root
 */
function build(root) {
  const project = join(root, 'project');
  const lines = splitsOf(data).map((split) => `  ${split}: {path: ${resolve(data, split)}, include: '*.tfrecord'}\n`);
  const pipeline = `version: 1
sources:
  classes: ${resolve(classes)}
${lines.join('')}nodes:
  audioset:
    stage: audioset-features
    matrix: {split: [${splitsOf(data).join(', ')}]}
    inputs: {shards: '\${matrix.split}', classes: classes}
`;
  compile('audioset-features.ts', join(project, 'stages/audioset-features.ts'), 'esm', ['mixdown/stage']);
  writeFiles(project, {'pipeline.yaml': pipeline});
  report(
    'mixdown run, first',
    times(() => {
      for (const name of ['cache', 'runs']) rmSync(join(project, name), {recursive: true, force: true});
      return mixdown(project, 'run', '--quiet');
    }),
  );
  report(
    'mixdown run, nothing to do',
    times(() => mixdown(project, 'run', '--quiet')),
  );
}

/**
 * @param {string} root
 * @param {string} name
 * @param {object} job
 */
function stage(root, name, job) {
  const argument = JSON.stringify({stage: join(root, `${name}.mjs`), ...job});
  return () => measure(root, process.execPath, [join(root, 'run.mjs'), argument]);
}

/**
 * @param {string} root
 * @param {readonly string[]} names
 * @returns {Record<string, string>}
 */
function outputsOf(root, names) {
  return Object.fromEntries(names.map((name) => [name.replace(/\..*/, ''), join(root, name)]));
}

/** @param {string} folder */
function splitsOf(folder) {
  return readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory());
}

/**
 * @param {string} name
 * @param {string} outfile
 * @param {'esm' | 'cjs'} format
 * @param {string[]} external
 */
function compile(name, outfile, format, external = []) {
  const file = fileURLToPath(new URL(`../stages/${name}`, import.meta.url));
  const conditions = ['mixdown-source'];
  buildSync({entryPoints: [file], bundle: true, platform: 'node', format, outfile, conditions, external});
}

/**
 * @param {() => ReturnType<typeof measure>} command
 */
function times(command) {
  return Array.from({length: runs}, command);
}

/**
 * @param {string} title
 * @param {readonly ReturnType<typeof measure>[]} results
 * @param {number} [count]
 * @param {string} [unit]
 */
function report(title, results, count, unit) {
  /** @param {keyof ReturnType<typeof measure>} what */
  const of = (what) => median(results.map((result) => result[what]));
  const rate = count === undefined ? '' : `  ${((count / of('wallMs')) * 1000).toFixed(0)} ${unit}/s`;
  const cost = `wall ${ms(of('wallMs'))}  cpu ${ms(of('cpuMs'))}  ${of('rssMiB').toFixed(0)} MiB`;
  console.log(`${title.padEnd(55)} ${cost}${rate}`);
}

/** class_labels_indices.csv with invented names. */
function classTable() {
  const lines = Array.from({length: 527}, (_, i) => `${i},/m/0${i},"Class ${i}"\n`);
  return `index,mid,display_name\n${lines.join('')}`;
}

/**
 * Writes shards such as the released ones, with ten vectors and two labels a clip: some labels very often, none never.
 *
 * @param {string} folder
 * @param {number} count
 * @param {(bytes: Uint8Array) => number} maskedCrc32c
 */
function invent(folder, count, maskedCrc32c) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('');
  const names = alphabet.flatMap((a) => alphabet.map((b) => a + b));
  const {record, idAt, labelsAt} = template();
  mkdirSync(folder, {recursive: true});
  let clip = 0;
  for (const [i, name] of names.entries()) {
    const last = Math.round(((i + 1) * count) / names.length);
    const shard = Buffer.alloc((last - clip) * (record.length + 16));
    for (let at = 0; clip < last; clip++, at += record.length + 16) {
      record.write(name + String(clip).padStart(9, '0'), idAt, 'latin1');
      for (const [k, label] of [clip % 527, Math.floor(527 * ((clip * 0.618) % 1) ** 4)].entries()) {
        record[labelsAt + 2 * k] = 128 | label;
        record[labelsAt + 2 * k + 1] = label >> 7;
      }
      shard.writeUInt32LE(record.length, at);
      shard.writeUInt32LE(maskedCrc32c(shard.subarray(at, at + 8)), at + 8);
      shard.set(record, at + 12);
      shard.writeUInt32LE(maskedCrc32c(record), at + 12 + record.length);
    }
    writeFileSync(join(folder, `${name}.tfrecord`), shard);
  }
}

/** A record with places for the video id and for two labels of two bytes each. */
function template() {
  /** @param {number} number @param {...(Buffer | string)} parts @returns {Buffer} */
  const field = (number, ...parts) => {
    const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
    const {length} = content;
    const size = length < 128 ? [length] : [128 | (length & 127), length >> 7];
    return Buffer.concat([Buffer.from([number * 8 + 2, ...size]), content]);
  };
  /** @param {number} seconds */
  const float = (seconds) => field(2, field(1, Buffer.from(Float32Array.of(seconds).buffer)));
  const id = 'the video id'.slice(0, 11);
  const labels = 'both';
  const vectors = Array.from({length: 10}, (_, t) =>
    field(1, field(1, field(1, Buffer.from(Array.from({length: 128}, (_, i) => (t * 128 + i) * 7919))))),
  );
  const context = Object.entries({
    video_id: field(1, field(1, id)),
    start_time_seconds: float(30),
    end_time_seconds: float(40),
    labels: field(3, field(1, labels)),
  }).map(([key, feature]) => field(1, field(1, key), field(2, feature)));
  const lists = field(1, field(1, 'audio_embedding'), field(2, ...vectors));
  const record = Buffer.concat([field(1, ...context), field(2, lists)]);
  return {record, idAt: record.indexOf(id), labelsAt: record.indexOf(labels)};
}
