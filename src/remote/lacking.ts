import {failure, type Failure} from '../core/failure.ts';
import type {Lack} from './secrets.ts';
import {RemoteError, type Transport} from './transport.ts';

/**
 * The transport of a process that lacks secrets: it reads, and says why it does not write, or writes without a signature. What
 * is not written by anybody is not told.
 */
export function lackingTransport(
  transport: Transport,
  lacks: readonly Lack[],
  warn: (failure: Failure) => void,
): Transport {
  if (lacks.length === 0) return transport;
  const needed = lacks.find((lack) => lack.needed);
  const credentials = lacks.find(({secret}) => secret === 'credentials');
  const asked = async <T>(request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      if (!credentials || !(error instanceof RemoteError) || error.trouble !== 'refused') throw error;
      throw new RemoteError('refused', `${error.message}; ${credentials.message}`, error, hintOf(credentials));
    }
  };
  let told = false;
  const tell = ({message}: Lack): void => {
    if (!told) warn(failure('remote-config', `results are sent unsigned: ${message}`));
    told = true;
  };
  return {
    name: transport.name,
    has: (space, hash, signal) => asked(() => transport.has(space, hash, signal)),
    get: (space, hash, maxBytes, read, signal, from) =>
      asked(() => transport.get(space, hash, maxBytes, read, signal, from)),
    async put(space, hash, body, signal) {
      if (needed) throw new RemoteError('refused', needed.message, undefined, hintOf(needed));
      lacks.forEach(tell);
      return transport.put(space, hash, body, signal);
    },
    close: () => transport.close(),
  };
}

function hintOf({secret}: Lack): string {
  const only = 'where results are only to be read, set MIXDOWN_CACHE=read-only';
  if (secret === 'credentials') return `Put it there; ${only}.`;
  return `Put it there (\`mixdown cache key\` makes one): readers of this namespace want a signature; ${only}.`;
}
