import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import {digestOf} from '../../../src/core/digest.ts';
import {cacheServer} from '../../support/cache-server.ts';
import {compile, type Program} from '../../support/child.ts';
import {openedStore, tempFolder} from '../../support/store-fixture.ts';

const there = spawnSync('openssl', ['version']).status === 0;
const bytes = Buffer.from('a blob');
const blob = digestOf(bytes);

/** A key and a certificate that it signed itself, for this address. */
function certificate(dir: string, address: string): {readonly key: string; readonly cert: string} {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cache -addext subjectAltName=IP:${address}`;
  execFileSync('openssl', [...args.split(' '), '-keyout', key, '-out', cert], {stdio: 'ignore'});
  return {key, cert};
}

describe.runIf(there)('a server with a certificate that it signed itself', () => {
  let fetcher: Program;
  beforeAll(async () => {
    fetcher = await compile(join(import.meta.dirname, 'children/fetcher.ts'));
  });
  afterAll(() => fetcher.remove());

  /** Fetches the blob with a process of its own: what is trusted is settled when Node starts. */
  async function fetchFrom(address: string, trusted: boolean, elsewhere?: URL): Promise<{said: string; came: boolean}> {
    const dir = tempFolder();
    const {key, cert} = certificate(dir, address);
    const server = createServer({key: readFileSync(key), cert: readFileSync(cert)}, (request, response) => {
      if (elsewhere) response.writeHead(302, {location: new URL(request.url!, elsewhere).href}).end();
      else if (request.url === `/base/cas/${blob.hash}`) response.end(bytes);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/base`;
    const launcher = trusted ? ['env', `NODE_EXTRA_CA_CERTS=${cert}`] : ['env', '-u', 'NODE_EXTRA_CA_CERTS'];
    const child = fetcher.start([join(dir, 'cache'), url, blob.hash, String(blob.size)], launcher);
    const said: string[] = [];
    for await (const line of child.lines) said.push(line);
    await child.ended;
    return {said: said.join('\n'), came: openedStore(join(dir, 'cache')).cas.holds(blob)};
  }

  it('is read when it is named as trusted', async () => {
    expect(await fetchFrom('127.0.0.1', true)).toEqual({said: '', came: true});
  });

  it('leads to no line that others can read', async () => {
    const plain = await cacheServer();
    plain.entries.set(`/base/cas/${blob.hash}`, bytes);
    expect(await fetchFrom('127.0.0.1', true, plain.url)).toMatchObject({came: false});
    expect(plain.seen).toEqual([]);
  });

  it('is refused otherwise, with what to do', async () => {
    expect(await fetchFrom('127.0.0.1', false)).toEqual({
      said: expect.stringMatching(
        /^127.0.0.1:\d+ shows a certificate that is not trusted here \(self-signed certificate\); .*NODE_EXTRA_CA_CERTS/,
      ),
      came: false,
    });
  });

  it('is refused when it is made out for somebody else', async () => {
    const {said, came} = await fetchFrom('127.0.0.2', true);
    expect(said).toContain('is not trusted here');
    expect(came).toBe(false);
  });
});
