import {spawn, spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';

/**
 * nginx on this machine as a remote cache, with its files below `root`.
 *
 * @param {string} root
 */
export async function startNginx(root) {
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
  const env = {...process.env, PATH: `${process.env['PATH']}:/usr/sbin`};
  const nginx = spawn('nginx', ['-p', root, '-c', join(root, 'nginx.conf')], {env, stdio: 'ignore'});
  spawnSync('curl', ['-s', '--retry', '50', '--retry-connrefused', '--retry-delay', '1', url]);
  return {url, stop: () => nginx.kill()};
}
