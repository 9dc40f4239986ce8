import {spawn, spawnSync} from 'node:child_process';
import {accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';

/** A real server with WebDAV on a loopback port, run as the user who runs the tests. */
export interface Nginx {
  readonly url: string;
  /** The folder that it serves. */
  readonly root: string;
  /** Method, path and status of each request since the last call: `GET /ac/... 200`. */
  requests(): readonly string[];
  /** Killed without a word; what was asked of it then is in no log. */
  kill(): Promise<void>;
  /** Once more after `kill`, at the same address. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** Path of nginx; undefined where it is not installed. Debian puts it where ordinary users do not look. */
export const nginxPath = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  .map((dir) => join(dir, 'nginx'))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Whether this user may give a process a small disk of its own. */
export const canLimitDisk = spawnSync('unshare', ['-rm', 'true']).status === 0;

export interface NginxOptions {
  /** Directives for the server's only location. */
  readonly extra?: string;
  /**
   * Who may write, as `user:password`, by the first part of the address: `cas`, `ac` or a namespace. Everybody may read then, and
   * nothing but entries is served.
   */
  readonly writers?: Readonly<Record<string, readonly string[]>>;
  /** Served from a disk of this size, which only the server sees. */
  readonly diskMiB?: number;
}

export async function startNginx({extra = '', writers, diskMiB}: NginxOptions = {}): Promise<Nginx> {
  const dir = mkdtempSync(join(tmpdir(), 'mixdown-nginx-'));
  const served = join(dir, 'served');
  mkdirSync(served, {recursive: true});
  const port = await freePort();
  const log = join(dir, 'access.log');
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`);
  for (const [part, logins] of Object.entries(writers ?? {})) {
    const lines = logins.map((login) => `${login.replace(':', ':{PLAIN}')}\n`);
    writeFileSync(join(dir, `${part}.passwd`), lines.join(''));
  }
  // A namespace without a file is closed.
  const put = `dav_methods PUT; create_full_put_path on;
    limit_except GET HEAD { auth_basic mixdown; auth_basic_user_file ${dir}/$part.passwd; }`;
  const guarded = `location / { return 404; }
    location ~ "^/(?<part>ac|cas)/[0-9a-f]{64}$" { ${put} }
    location ~ "^/(?<part>[a-z0-9][a-z0-9._-]*)/ac/[0-9a-f]{64}$" { ${put} }`;
  writeFileSync(
    join(dir, 'nginx.conf'),
    // Where it starts as root (in a container, in a namespace of its own) it would give its folders to somebody else.
    `user root; daemon off; master_process off; pid ${dir}/pid; error_log stderr notice; events {}
    http {
      log_format brief '$request_method $uri $status'; access_log ${log} brief; ${temps.join(' ')}
      client_body_temp_path ${served}/.incoming; client_max_body_size 0;
      server {
        listen 127.0.0.1:${port};
        root ${served};
        ${writers ? guarded : `location / { dav_methods PUT; create_full_put_path on; ${extra} }`}
      }
    }`.replace(temps[0]!, ''),
  );
  const command = [nginxPath!, '-p', dir, '-c', join(dir, 'nginx.conf')];
  const mount = `mount -t tmpfs -o size=${diskMiB}m tmpfs ${served} && exec "$@"`;
  const [program = '', ...args] =
    diskMiB === undefined ? command : ['unshare', '-rm', 'sh', '-c', mount, 'sh', ...command];
  const start = async (): Promise<(signal: NodeJS.Signals) => Promise<void>> => {
    const child = spawn(program, args, {stdio: ['ignore', 'ignore', 'pipe']});
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        // It listens before it says which way it will wait for events.
        if (said.includes('event method')) resolve();
      });
      child.once('close', () => reject(new Error(`nginx ended: ${said}`)));
    });
    return (signal) => {
      child.kill(signal);
      return ended;
    };
  };
  let end = await start();
  let read = 0;
  return {
    url: `http://127.0.0.1:${port}`,
    root: served,
    requests() {
      const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
      const since = lines.slice(read);
      read = lines.length;
      return since;
    },
    kill: () => end('SIGKILL'),
    async startAgain() {
      end = await start();
    },
    async stop() {
      await end('SIGTERM');
      rmSync(dir, {recursive: true, force: true});
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
