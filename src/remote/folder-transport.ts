import {randomBytes} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, open, readdir, rename, rm, stat} from 'node:fs/promises';
import {hostname} from 'node:os';
import {limited, RemoteError, type Transport} from './transport.ts';

/** What a process that was killed left behind is swept away after this time. */
const leftoverMs = 24 * 3_600_000;

/**
 * A folder that several machines share, laid out as an HTTP server would serve it: `cas/<sha256>`, `ac/<sha256>` and
 * `<namespace>/ac/<sha256>`. An entry is written beside, flushed and renamed, so that readers on other hosts see all of it or
 * nothing, on NFS too.
 *
 * @param dir - must exist: making it would hide that the shared disk is not mounted
 */
export function folderTransport(dir: string, now: () => number): Transport {
  const temps = `${dir}/tmp`;
  let prepared: Promise<void> | undefined;
  const prepare = async (): Promise<void> => {
    await isThere(dir);
    await mkdir(temps, {recursive: true});
    await sweep(temps, now() - leftoverMs);
  };
  return {
    name: dir,
    has: (space, hash) =>
      guarded(async () => {
        await isThere(dir);
        return (await sizeOf(`${dir}/${space}/${hash}`)) !== undefined;
      }),
    get: (space, hash, maxBytes, read, signal, from = 0) =>
      guarded(async () => {
        await isThere(dir);
        const path = `${dir}/${space}/${hash}`;
        const size = await sizeOf(path);
        if (size === undefined) return undefined;
        const start = from < size ? from : 0;
        return read(
          limited(
            createReadStream(path, {highWaterMark: 1 << 20, signal, start}),
            maxBytes - start,
            `${space}/${hash}`,
          ),
          start,
        );
      }),
    put: (space, hash, body, signal) =>
      guarded(async () => {
        await (prepared ??= prepare());
        const temp = `${temps}/${hostname()}-${process.pid}-${randomBytes(8).toString('hex')}`;
        try {
          const file = await open(temp, 'wx', 0o644);
          try {
            for await (const chunk of body.open()) {
              signal.throwIfAborted();
              await file.writeFile(chunk);
            }
            await file.sync();
          } finally {
            await file.close();
          }
          await mkdir(`${dir}/${space}`, {recursive: true});
          await rename(temp, `${dir}/${space}/${hash}`);
        } catch (error) {
          await rm(temp, {force: true});
          throw error;
        }
      }),
    close() {},
  };
}

async function isThere(dir: string): Promise<void> {
  const found = await stat(dir).catch(() => undefined);
  if (!found?.isDirectory()) throw new RemoteError('unreachable', `there is no folder ${dir}`);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    // A pipe that somebody put there would be waited for without end.
    if (!found.isFile()) throw new RemoteError('wrong', `${path} is no file`);
    return found.size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function sweep(temps: string, beforeMs: number): Promise<void> {
  for (const name of await readdir(temps)) {
    const path = `${temps}/${name}`;
    const found = await stat(path).catch(() => undefined);
    // A folder is part of a namespace that is called like this one; what is somebody else's stays if it must.
    if (found?.isFile() && found.mtimeMs < beforeMs) await rm(path, {force: true}).catch(() => {});
  }
}

/** Turns file system errors into trouble of the remote. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RemoteError || !(error instanceof Error)) throw error;
    if (error.name === 'AbortError') throw new RemoteError('stopped', 'stopped', error);
    const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    if (code === undefined) throw error;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') throw new RemoteError('full', error.message, error);
    const closed = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
    throw new RemoteError(closed ? 'refused' : 'busy', error.message, error);
  }
}
