import {createServer} from 'node:net';

/** Tells when a program that connected to a socket is gone, however it ended. */
export interface Presence {
  readonly path: string;
  readonly arrived: Promise<void>;
  readonly left: Promise<void>;
}

export async function awaitPresence(path: string): Promise<Presence> {
  let arrive = (): void => {};
  let leave = (): void => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const left = new Promise<void>((resolve) => (leave = resolve));
  const server = createServer((socket) => {
    arrive();
    socket.on('error', () => {});
    socket.once('close', () => leave());
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  server.unref();
  return {path, arrived, left};
}
