// Results from a remote cache: nginx on this machine, read by mixdown and by curl in turns.
//
//   node bench/remote-cache.mjs [nodes=500] [mebibytes=256] [runs=5]
//
// `hits`: results of `nodes` nodes with a file of 1 KiB each, two requests a result: the record, then the blob. `bytes`: one result
// of so many MiB. curl writes the same bytes to files, with as many connections. Needs nginx and curl; run `npm run build` first.
import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {compare, measure, mixdown, readOptions, writeFiles} from './measure.mjs';
import {startNginx} from './nginx.mjs';

const {nodes, mebibytes, runs} = readOptions({nodes: 500, mebibytes: 256, runs: 5});

const pipelines = {
  hits: `version: 1
nodes:
  hit:
    matrix: {n: [${[...Array(nodes).keys()].join(', ')}]}
    command: [sh, -c, 'head -c 1024 /dev/urandom > file', sh, '\${matrix.n}']
    outputs: {file: file}
`,
  bytes: `version: 1
nodes:
  big: {command: [sh, -c, 'head -c ${mebibytes * 1024 * 1024} /dev/urandom > file'], outputs: {file: file}}
`,
};

const root = mkdtempSync(join(tmpdir(), 'mixdown-bench-'));
const nginx = await startNginx(root);
const {url} = nginx;
try {
  process.env['XDG_CONFIG_HOME'] = root;
  for (const [name, pipeline] of Object.entries(pipelines)) measureOne(name, pipeline);
} finally {
  nginx.stop();
  rmSync(root, {recursive: true, force: true});
}

/** @type {(name: string, pipeline: string) => void} */
function measureOne(name, pipeline) {
  const [maker, reader, files] = ['maker', 'reader', 'files'].map((folder) => join(root, name, folder));
  for (const folder of [maker, reader]) writeFiles(folder, {'pipeline.yaml': pipeline});
  process.env['MIXDOWN_CACHE'] = `${url}/${name}`;
  mixdown(maker, 'run', '--quiet');
  const served = join(root, 'served', name);
  // What a reader needs: records, and the blobs of outputs.
  const entries = ['ac', 'cas'].flatMap((space) => readdirSync(join(served, space)).map((hash) => `${space}/${hash}`));
  const list = entries.map((entry) => `url = "${url}/${name}/${entry}"\noutput = "${files}/${entry}"\n`).join('');
  writeFileSync(join(root, name, 'urls'), list);
  console.log(`${name}: ${entries.length} entries`);
  compare(runs, {
    curl: () => {
      rmSync(files, {recursive: true, force: true});
      return measure(root, 'curl', ['-sSfZ', '--parallel-max', '16', '--create-dirs', '-K', join(root, name, 'urls')]);
    },
    'mixdown cache pull': () => {
      for (const folder of ['cache', 'runs']) rmSync(join(reader, folder), {recursive: true, force: true});
      return mixdown(reader, 'cache', 'pull', '--quiet');
    },
    'nothing to pull': () => mixdown(reader, 'cache', 'pull', '--quiet'),
  });
}
