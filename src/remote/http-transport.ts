import {Agent as HttpAgent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders} from 'node:http';
import {Agent as HttpsAgent, request as httpsRequest} from 'node:https';
import {pipeline, Readable} from 'node:stream';
import type {Sha256} from '../core/digest.ts';
import {Pace} from './pace.ts';
import {limited, RemoteError, type Body, type Space, type Transport} from './transport.ts';

export interface HttpOptions {
  readonly base: URL;
  /** Value of the Authorization header; sent to no other host. */
  readonly authorization?: string;
  readonly connections: number;
  /** The longest time without a byte, connecting included. */
  readonly idleMs: number;
  /** An exchange that is slower is given up. */
  readonly minBytesPerSecond: number;
  /** Content encodings that this process can undo; what is damaged they throw as RemoteError. */
  readonly decoders: Readonly<Record<string, (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>>>;
}

type Method = 'GET' | 'HEAD' | 'PUT';

interface Exchange {
  readonly method: Method;
  readonly url: URL;
  readonly body?: Body;
  /** Where in the entry the answer should begin. */
  readonly from?: number;
  /** What will be sent or received. */
  readonly expectedBytes: number;
}

const mostRedirects = 3;
/** Records are small; their limit says nothing about them. */
const usualRecordBytes = 1 << 20;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const busyStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The HTTP cache protocol of Bazel: GET, HEAD and PUT of `{base}/ac/<sha256>` and `{base}/cas/<sha256>`. */
export function httpTransport(options: HttpOptions): Transport {
  const {base, connections, decoders} = options;
  const agents = {
    http: new HttpAgent({keepAlive: true, maxSockets: connections}),
    https: new HttpsAgent({keepAlive: true, maxSockets: connections}),
  };
  const urlOf = (space: Space, hash: Sha256): URL => new URL(`${base.href.replace(/\/+$/, '')}/${space}/${hash}`);
  const encodings = Object.keys(decoders).join(', ') || 'identity';

  /** Runs one exchange, redirects included; `read` gets the answer, and its body must be read to the end or given up. */
  const exchange = async <T>(
    {method, url: first, body, from = 0, expectedBytes}: Exchange,
    signal: AbortSignal,
    read: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> => {
    const watch = new AbortController();
    const stop = (): void => watch.abort(new RemoteError('stopped', 'stopped'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, {once: true});
    const {idleMs, minBytesPerSecond} = options;
    const onTooSlow = (): void => watch.abort(new RemoteError('timeout', `${base.host} is too slow`));
    const pace = new Pace({idleMs, minBytesPerSecond, expectedBytes, onTooSlow});
    try {
      let url = first;
      for (let hop = 0; hop <= mostRedirects; hop++) {
        const headers: OutgoingHttpHeaders = {'accept-encoding': encodings};
        // The bytes of an encoding are counted otherwise.
        if (from > 0) Object.assign(headers, {'accept-encoding': 'identity', range: `bytes=${from}-`});
        if (options.authorization !== undefined && url.origin === base.origin) {
          headers['authorization'] = options.authorization;
        }
        if (body) Object.assign(headers, {'content-length': body.size, 'content-type': 'application/octet-stream'});
        const response = await send(url, method, headers, body, watch.signal, pace);
        const next = redirectOf(response, url, method);
        if (next === undefined) return await read(response);
        response.resume();
        url = next;
      }
      throw new RemoteError('wrong', `${base.host} redirects again and again`);
    } catch (error) {
      throw asRemoteError(error, watch.signal, base.host);
    } finally {
      pace.stop();
      signal.removeEventListener('abort', stop);
    }
  };

  const send = (
    url: URL,
    method: Method,
    headers: OutgoingHttpHeaders,
    body: Body | undefined,
    signal: AbortSignal,
    pace: Pace,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method,
        headers,
        agent: secure ? agents.https : agents.http,
        signal,
      });
      request.setTimeout(options.idleMs, () => {
        request.destroy(new RemoteError('timeout', `${base.host} did not answer in ${options.idleMs} ms`));
      });
      request.once('socket', (socket) => pace.follow(socket));
      // An answer may come before all was sent, for instance that the disk is full: what goes wrong after it says nothing.
      request.once('response', resolve);
      request.on('error', reject);
      if (!body) request.end();
      else
        pipeline(Readable.from(body.open(), {objectMode: false, highWaterMark: 1 << 20}), request, (error) => {
          if (error) reject(error);
        });
    });

  const get: Transport['get'] = (space, hash, maxBytes, read, signal, from = 0) => {
    const expectedBytes = space === 'cas' ? maxBytes - from : usualRecordBytes;
    return exchange({method: 'GET', url: urlOf(space, hash), from, expectedBytes}, signal, async (response) => {
      try {
        if (isAbsent(response)) {
          response.resume();
          return undefined;
        }
        const start = startOf(response, from);
        if (start === undefined) {
          response.destroy();
          return await get(space, hash, maxBytes, read, signal);
        }
        throwUnlessDone(response, base.host);
        return await read(limited(decoded(response, decoders), maxBytes - start, `${space}/${hash}`), start);
      } catch (error) {
        response.destroy();
        throw error;
      }
    });
  };

  return {
    name: `${base.origin}${base.pathname.replace(/\/+$/, '')}`,
    has: (space, hash, signal) =>
      exchange({method: 'HEAD', url: urlOf(space, hash), expectedBytes: 0}, signal, async (response) => {
        response.resume();
        if (isAbsent(response)) return false;
        throwUnlessDone(response, base.host);
        return true;
      }),
    get,
    put: (space, hash, body, signal) =>
      exchange({method: 'PUT', url: urlOf(space, hash), body, expectedBytes: body.size}, signal, async (response) => {
        response.resume();
        throwUnlessDone(response, base.host);
      }),
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function isAbsent({statusCode}: IncomingMessage): boolean {
  return statusCode === 404 || statusCode === 410;
}

/** Where in the entry an answer begins; undefined when it is neither the part that was asked for nor the whole. */
function startOf({statusCode, headers}: IncomingMessage, from: number): number | undefined {
  if (from === 0 || (statusCode !== 206 && statusCode !== 416)) return 0;
  const [, begin] = /^bytes (\d+)-/.exec(headers['content-range'] ?? '') ?? [];
  const plain = (headers['content-encoding'] ?? 'identity') === 'identity';
  return statusCode === 206 && plain && begin === String(from) ? from : undefined;
}

/** @throws RemoteError unless the status is a 2xx */
function throwUnlessDone(response: IncomingMessage, host: string): void {
  const {statusCode: status = 0, statusMessage = ''} = response;
  if (status >= 200 && status < 300) return;
  response.resume();
  const said = `${host} answered ${status} ${statusMessage}`.trimEnd();
  if (status === 507 || status === 413) throw new RemoteError('full', said);
  if (busyStatuses.has(status)) throw new RemoteError('busy', said);
  throw new RemoteError(status >= 400 && status < 500 ? 'refused' : 'wrong', said);
}

function redirectOf(response: IncomingMessage, from: URL, method: Method): URL | undefined {
  const {statusCode = 0, headers} = response;
  if (!redirects.has(statusCode) || headers.location === undefined) return undefined;
  // The others would have a PUT repeated as a GET.
  if (method === 'PUT' && statusCode !== 307 && statusCode !== 308) return undefined;
  if (!URL.canParse(headers.location, from.href)) return undefined;
  const to = new URL(headers.location, from);
  // What is asked for by a line that nobody else can read is asked for by no other.
  return to.protocol === 'https:' || to.protocol === from.protocol ? to : undefined;
}

function decoded(response: IncomingMessage, decoders: HttpOptions['decoders']): AsyncIterable<Uint8Array> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return response;
  if (!Object.hasOwn(decoders, encoding)) {
    throw new RemoteError('wrong', `the answer is encoded as ${encoding}, which was not asked for`);
  }
  return decoders[encoding]!(response);
}

function asRemoteError(error: unknown, signal: AbortSignal, host: string): unknown {
  if (signal.aborted && signal.reason instanceof RemoteError) return signal.reason;
  if (error instanceof RemoteError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // Anything without a code is a bug of ours.
  if (code === undefined) return error;
  if (/CERT|SIGNATURE/.test(code)) {
    const how = `${host} shows a certificate that is not trusted here (${error.message})`;
    return new RemoteError(
      'unreachable',
      `${how}; an authority of your own is named by NODE_EXTRA_CA_CERTS=FILE`,
      error,
    );
  }
  const cut = error.message === 'aborted' || code === 'ERR_STREAM_PREMATURE_CLOSE';
  if (cut) return new RemoteError('cut-short', `${host} broke the connection off`, error);
  return new RemoteError('unreachable', `${host} cannot be reached: ${error.message}`, error);
}
