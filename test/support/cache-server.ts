import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {onTestFinished} from 'vitest';

/** A request as it came, without its body. */
export interface SeenRequest {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** A remote cache in this process that can be told to misbehave. */
export interface CacheServer {
  readonly url: URL;
  /** Entries by path, such as `/cas/<hash>`. */
  readonly entries: Map<string, Buffer>;
  readonly seen: SeenRequest[];
  /** Whether it understands ranges. */
  ranges: boolean;
  /** Answers in place of the server when it returns true. */
  fault: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Ends with the test. */
export async function cacheServer(): Promise<CacheServer> {
  const entries = new Map<string, Buffer>();
  const seen: SeenRequest[] = [];
  const http = createServer((request, response) => {
    const {method = '', url = '', headers} = request;
    seen.push({line: `${method} ${url}`, authorization: headers.authorization, range: headers.range});
    if (server.fault(request, response)) return;
    if (method === 'PUT') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        entries.set(url, Buffer.concat(chunks));
        response.writeHead(201).end();
      });
      return;
    }
    const entry = entries.get(url);
    if (!entry) response.writeHead(404).end();
    else if (server.ranges && headers.range !== undefined) answerPart(entry, headers.range, response);
    else {
      response.writeHead(200, {'content-length': entry.byteLength});
      response.end(method === 'HEAD' ? undefined : entry);
    }
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const {port} = http.address() as AddressInfo;
  const server: CacheServer = {
    url: new URL(`http://127.0.0.1:${port}/`),
    entries,
    seen,
    ranges: true,
    fault: () => false,
  };
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  );
  return server;
}

/** Of ranges only those that lead to the end. */
function answerPart(entry: Buffer, range: string, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range)?.[1]);
  const size = entry.byteLength;
  if (!(from < size)) response.writeHead(416, {'content-range': `bytes */${size}`}).end();
  else {
    const headers = {'content-length': size - from, 'content-range': `bytes ${from}-${size - 1}/${size}`};
    response.writeHead(206, headers).end(entry.subarray(from));
  }
}
