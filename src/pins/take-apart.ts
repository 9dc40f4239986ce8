import {open, type FileHandle} from 'node:fs/promises';
import type {CompareForm} from '../core/compare.ts';
import type {Sha256} from '../core/digest.ts';
import type {PinnedNumbers} from '../core/pins.ts';
import {
  ArrayNumbers,
  layoutBytes,
  npyLayout,
  npzLayout,
  safetensorsHead,
  safetensorsLayout,
  type Layout,
} from './array-numbers.ts';
import {Collector} from './collector.ts';
import {TextNumbers} from './text-numbers.ts';

/** One file of an output. */
export interface Part {
  /** Path inside the tree; empty for an output that is a file. */
  readonly path: string;
  readonly hash: Sha256;
  /** Where the bytes lie. */
  readonly file: string;
}

/**
 * Takes an output apart into its numbers and the rest, reading it once in pieces: it may be larger than the memory. Of a
 * tree, entries that are not called as the form says are not opened; their hash is part of the rest.
 *
 * @param parts - in the order of their paths
 * @throws file system errors
 */
export async function takeApart(parts: readonly Part[], as: CompareForm, signal?: AbortSignal): Promise<PinnedNumbers> {
  const collector = new Collector(as);
  for (const {path, hash, file} of parts) {
    if (path !== '') collector.form(`\n${JSON.stringify(path)}\n`);
    if (path !== '' && !isCalled(path, as)) collector.form(hash);
    else await readPart(file, as, collector, signal);
  }
  return collector.end(as);
}

function isCalled(path: string, as: CompareForm): boolean {
  return as === 'text' || path.toLowerCase().endsWith(`.${as}`);
}

async function readPart(file: string, as: CompareForm, collector: Collector, signal?: AbortSignal): Promise<void> {
  const handle = await open(file);
  try {
    const reader =
      as === 'npy' || as === 'npz' || as === 'safetensors'
        ? new ArrayNumbers(await layoutOf(handle, as), collector)
        : new TextNumbers(as, collector);
    const buffer = Buffer.alloc(pieceBytes);
    for (let at = 0; ;) {
      signal?.throwIfAborted();
      const {bytesRead} = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) break;
      reader.write(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    reader.end();
  } finally {
    await handle.close();
  }
}

const pieceBytes = 1 << 20;

async function layoutOf(handle: FileHandle, as: 'npy' | 'npz' | 'safetensors'): Promise<Layout> {
  const {size} = await handle.stat();
  if (as === 'npz') return npzLayout((at, bytes) => readAt(handle, at, bytes), size);
  const head = await readAt(handle, 0, layoutBytes);
  if (as === 'npy') return npyLayout(head, size);
  const length = safetensorsHead(head, size);
  return length === undefined ? [] : safetensorsLayout(await readAt(handle, 0, length), size);
}

async function readAt(handle: FileHandle, at: number, bytes: number): Promise<Uint8Array> {
  const head = Buffer.alloc(bytes);
  let length = 0;
  while (length < bytes) {
    const {bytesRead} = await handle.read(head, length, bytes - length, at + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return head.subarray(0, length);
}
