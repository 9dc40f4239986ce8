import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {join} from 'node:path';
import type {NodeId} from '../../core/pipeline.ts';
import {logPath} from '../../report/run-record.ts';
import {printable} from '../../report/text-width.ts';
import type {PageBooks} from './books.ts';

const mostBytes = 8 * 1024;
const mostLines = 40;

/** The last lines of what a node printed, in this run or when its result was made. */
export function lastLines(id: NodeId, {ended, folder, blobs, resultOf}: PageBooks): string | undefined {
  const before = resultOf(id)?.execution.log;
  const outcome = ended.get(id)?.outcome;
  const kept = before && (outcome === 'cached' || outcome === 'up-to-date') ? blobs.peek(before.hash) : undefined;
  const bytes = kept ?? tailOf(join(folder.dir, logPath(id)));
  const text = bytes?.subarray(-mostBytes).toString('utf8').trimEnd();
  if (text === undefined || text === '') return undefined;
  return printable(text.split('\n').slice(-mostLines).join('\n'));
}

function tailOf(path: string): Buffer | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const {size} = fstatSync(file);
      const buffer = Buffer.alloc(Math.min(size, mostBytes));
      return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, size - buffer.length));
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}
