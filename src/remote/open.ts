import {randomInt} from 'node:crypto';
import type {Duplex} from 'node:stream';
import {fileURLToPath} from 'node:url';
import * as zlib from 'node:zlib';
import type {Failure} from '../core/failure.ts';
import {ok, type Result} from '../core/result.ts';
import {authorizationOf} from './credentials.ts';
import {folderTransport} from './folder-transport.ts';
import {httpTransport} from './http-transport.ts';
import type {RemoteParts} from './parts.ts';
import {RemoteClient} from './remote-cache.ts';
import type {RemoteSettings} from './settings.ts';
import {Steady} from './steady.ts';
import type {Transport} from './transport.ts';

export interface OpenOptions extends Pick<
  RemoteParts,
  'cas' | 'takePartial' | 'actions' | 'parseResult' | 'parseSlices'
> {
  readonly settings: RemoteSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the path of a secret's file starts at. */
  readonly folder: string;
  readonly now: () => number;
  readonly warn: (failure: Failure) => void;
}

/** Requests at a time: enough to fill a line with small blobs, few enough for a small server. */
const parallel = 16;

/** Gets a remote cache ready. Nothing is sent yet. */
export async function openRemote(options: OpenOptions): Promise<Result<RemoteClient>> {
  const {settings, warn} = options;
  const transport = await transportTo(options);
  if (!transport.ok) return transport;
  const random = (): number => randomInt(2 ** 32) / 2 ** 32;
  const steady = new Steady({name: transport.value.name, warn, random});
  return ok(new RemoteClient({...options, transport: transport.value, mode: settings.mode, steady, parallel}));
}

async function transportTo({settings, env, folder, now}: OpenOptions): Promise<Result<Transport>> {
  const {url, credentials} = settings;
  if (url.protocol === 'file:') return ok(folderTransport(fileURLToPath(url).replace(/\/+$/, ''), now));
  const authorization = credentials ? await authorizationOf(credentials, env, folder) : ok(undefined);
  if (!authorization.ok) return authorization;
  const common = {base: url, connections: parallel, idleMs: 10_000, minBytesPerSecond: 16_384, decoders: decoders()};
  return ok(httpTransport({...common, ...(authorization.value ? {authorization: authorization.value} : {})}));
}

/** Node 22.15 was the first to bring zstd. */
function decoders(): Readonly<Record<string, () => Duplex>> {
  const create = (zlib as {readonly createZstdDecompress?: () => Duplex}).createZstdDecompress;
  return create ? {zstd: create} : {};
}
