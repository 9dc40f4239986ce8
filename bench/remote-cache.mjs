// Results from a remote cache: nginx on this machine, read by mixdown and by curl in turns.
//
//   node bench/remote-cache.mjs [nodes=500] [mebibytes=256] [runs=5]
//
// `hits`: results of `nodes` nodes with a file of 1 KiB each, two requests a result: the record, then the blob. `bytes`: one result
// of so many MiB. curl writes the same bytes to files, with as many connections. Needs nginx and curl; run `npm run build` first.
import {spawn, spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {compare, measure, mixdown, readOptions, writeFiles} from './measure.mjs';

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
const probe = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => probe.once('listening', resolve));
const {port} = /** @type {import('node:net').AddressInfo} */ (probe.address());
await new Promise((resolve) => probe.close(resolve));
const url = `http://127.0.0.1:${port}`;
mkdirSync(join(root, 'served'));
writeFileSync(
  join(root, 'nginx.conf'),
  `user root; daemon off; master_process off; pid ${root}/pid; error_log ${root}/error.log crit; events {}
  http {
    access_log off; client_body_temp_path ${root}/incoming; proxy_temp_path ${root}/proxy; sendfile on;
    fastcgi_temp_path ${root}/fastcgi; uwsgi_temp_path ${root}/uwsgi; scgi_temp_path ${root}/scgi;
    client_max_body_size 0; keepalive_requests 1000000;
    server {
      listen 127.0.0.1:${port};
      location / { root ${root}/served; dav_methods PUT; create_full_put_path on; }
    }
  }`,
);
const path = `${process.env['PATH']}:/usr/sbin`;
const nginx = spawn('nginx', ['-p', root, '-c', join(root, 'nginx.conf')], {
  env: {...process.env, PATH: path},
  stdio: 'ignore',
});
spawnSync('curl', ['-s', '--retry', '50', '--retry-connrefused', '--retry-delay', '1', url]);
try {
  process.env['XDG_CONFIG_HOME'] = root;
  for (const [name, pipeline] of Object.entries(pipelines)) measureOne(name, pipeline);
} finally {
  nginx.kill();
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
