import {randomInt} from 'node:crypto';
import {fileURLToPath} from 'node:url';
import type {Failure} from '../core/failure.ts';
import type {Voucher} from '../core/origin.ts';
import {folderTransport} from './folder-transport.ts';
import {httpTransport} from './http-transport.ts';
import {lackingTransport} from './lacking.ts';
import type {RemoteParts} from './parts.ts';
import {RemoteClient} from './remote-cache.ts';
import type {Secrets} from './secrets.ts';
import type {RemoteSettings} from './settings.ts';
import {readSigningKey} from './signature.ts';
import {Steady} from './steady.ts';
import type {Transport} from './transport.ts';
import {trustedKeys} from './trust.ts';
import {decodeZstd} from './zstd.ts';

export interface OpenOptions
  extends Secrets, Pick<RemoteParts, 'cas' | 'takePartial' | 'actions' | 'parseResult' | 'builder'> {
  readonly settings: RemoteSettings;
  readonly now: () => number;
  readonly warn: (failure: Failure) => void;
  /** Somebody whose results were found wrong; nobody when absent. */
  readonly isDistrusted?: (voucher: Voucher) => boolean;
}

/** Requests at a time: enough to fill a line with small blobs, few enough for a small server. */
const parallel = 16;

/** Gets a remote cache ready. Nothing is sent yet. */
export function openRemote(options: OpenOptions): RemoteClient {
  const {settings, lacks, warn, signingKey, isDistrusted = () => false, ...local} = options;
  const {mode, namespace, read, salt, trust} = settings;
  const transport = lackingTransport(transportTo(options), lacks, warn);
  const random = (): number => randomInt(2 ** 32) / 2 ** 32;
  const steady = new Steady({name: transport.name, warn, random});
  const key = signingKey === undefined ? undefined : readSigningKey(signingKey);
  const noKey = lacks.find(({secret}) => secret === 'signing key')?.message;
  return new RemoteClient({
    ...local,
    ...{mode, namespace, read, salt, transport, steady, warn, parallel, isDistrusted},
    trusted: trustedKeys(trust),
    ...(key ? {signingKey: key} : {}),
    ...(noKey === undefined ? {} : {noKey}),
  });
}

/** The way to a remote cache, without patience for its troubles. */
export function transportTo({
  settings: {url},
  authorization,
  now,
}: Pick<OpenOptions, 'settings' | 'authorization' | 'now'>): Transport {
  if (url.protocol === 'file:') return folderTransport(fileURLToPath(url).replace(/\/+$/, ''), now);
  const decoders = {zstd: decodeZstd};
  const common = {base: url, connections: parallel, idleMs: 10_000, minBytesPerSecond: 16_384, decoders};
  return httpTransport({...common, ...(authorization === undefined ? {} : {authorization})});
}
