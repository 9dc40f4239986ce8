// Fetches one blob into a store, and says what went wrong: fetcher DIR URL HASH SIZE.
import type {Sha256} from '../../../../src/core/digest.ts';
import {Download} from '../../../../src/remote/download.ts';
import {httpTransport} from '../../../../src/remote/http-transport.ts';
import {openStore} from '../../../../src/store/store.ts';

const [dir = '', url = '', hash = '', size = ''] = process.argv.slice(2);
const digest = {hash: hash as Sha256, size: Number(size)};
const store = openStore({dir, what: 'a fetcher', warn: (problem) => console.log(problem.message)});
if (!store.ok) throw new Error(store.error[0]?.message);
const transport = httpTransport({
  base: new URL(url),
  connections: 1,
  idleMs: 60_000,
  minBytesPerSecond: 1,
  decoders: {},
});
const download = new Download(digest, store.value);
const {signal} = new AbortController();
try {
  await download.attempt((read, from) => transport.get('cas', digest.hash, digest.size, read, signal, from));
} catch (error) {
  console.log((error as Error).message);
  process.exitCode = 1;
}
await download.close();
transport.close();
store.value.close();
