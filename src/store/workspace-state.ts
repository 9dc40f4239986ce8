import {closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync} from 'node:fs';
import {dirname} from 'node:path';
import {failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {NodeState, WorkspaceState} from '../core/ports.ts';
import {tempNames, withFolder, writeAll, writeNew} from './atomic-file.ts';
import {isMissing, writeFailure, type Warn} from './io-failure.ts';
import {tryLock, unlock} from './lock-file.ts';
import {introduce, newNonce} from './session.ts';
import {isNodeState, parseJson} from './validate.ts';

/** Rewrite the journal when it has this many lines per node, but do not bother for a few lines. */
const linesPerNode = 3;
const fewLines = 200;

const header = '{"type":"state/1"}';
/** A whole one: a header that was cut off is noise. */
const otherHeader = /^\{"type":"state\/(?!1")[^"]+"\}$/;
const nodePrefix = '{"node":"';
/** Ends what a rewrite took over: the lines after it are younger. */
const rewritten = '{"type":"rewritten"}';
const latePrefix = '{"late":';

/**
 * Each node's last result as a journal of JSON lines; the last line of a node counts. Two processes may write at once: a
 * flush is one write of whole lines at the end of the file. A line that was cut off is passed over. Losing the journal only
 * turns "up to date" into "cached", so trouble with it is a warning.
 *
 * The exception to "last": a line that came while the file was rewritten is carried over as `{"late":…}`, and by then its
 * writer may have put a younger one into the new file. So a late line is older than every other one after `rewritten`.
 *
 * @param file - `runs/state.ndjson`; read at the first `get` or `flush`, not before
 */
export function openWorkspaceState({file, warn}: {readonly file: string; readonly warn: Warn}): WorkspaceState {
  let journal: Journal | undefined;
  const pending = new Map<NodeId, string>();
  let damageTold = false;

  const load = (): Journal => (journal ??= read(file, warn));
  const tellDamage = (): void => {
    if (damageTold) return;
    damageTold = true;
    warn(
      failure('state-corrupt', `Some lines of ${file} are damaged; they are passed over`, {
        hint: 'Results of those nodes are taken from the cache.',
      }),
    );
  };

  return {
    get(node) {
      const {lines, parsed} = load();
      const known = parsed.get(node);
      if (known !== undefined) return known;
      const line = lines.get(node);
      if (line === undefined) return undefined;
      const value = parseJson(line);
      if (isNodeState(value) && value.node === node) {
        parsed.set(node, value);
        return value;
      }
      lines.delete(node);
      tellDamage();
      return undefined;
    },
    record(state) {
      const {node, ...rest} = state;
      const line = JSON.stringify({node, ...rest});
      const {lines, parsed} = load();
      parsed.set(node, state);
      if (lines.get(node) === line) return;
      lines.set(node, line);
      pending.set(node, line);
    },
    async flush() {
      if (pending.size === 0) return;
      const {lines, written, foreign} = load();
      // Begins with a line feed: whatever another process left unfinished at the end stays a line of its own.
      const start = written === 0 ? header : '';
      const text = `${start}\n${[...pending.values()].join('\n')}\n`;
      const total = written + pending.size;
      try {
        if (foreign) rewrite(file, (old) => old.subarray(0, 0));
        append(file, text);
        pending.clear();
        const full = total > fewLines && total > linesPerNode * lines.size;
        if (full) compact(file);
        journal = {...load(), written: full ? lines.size + 1 : total, foreign: false};
      } catch (error) {
        warn(writeFailure(error, `the state of this checkout, ${file}`));
      }
    },
  };
}

interface Journal {
  /** Last line of each node, as text: parsed when asked for. */
  readonly lines: Map<NodeId, string>;
  readonly parsed: Map<NodeId, NodeState>;
  /** Lines in the file, as far as this process knows. */
  readonly written: number;
  /** Written by a version with another format: to be replaced at the next flush. */
  readonly foreign: boolean;
}

function read(file: string, warn: Warn): Journal {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!isMissing(error)) warn(failure('state-corrupt', `${file} cannot be read: ${(error as Error).message}`));
  }
  const {lines, count, foreign} = parseLines(text);
  if (foreign) warn(failure('state-corrupt', `${file} was written by another version of mixdown; it starts anew`));
  return {lines, parsed: new Map(), written: count, foreign};
}

function parseLines(text: string): {lines: Map<NodeId, string>; count: number; foreign: boolean} {
  const lines = new Map<NodeId, string>();
  const younger = new Set<NodeId>();
  let count = 0;
  // The part after the last line feed was not finished, and belongs to nobody.
  for (let at = 0, end = text.indexOf('\n'); end >= 0; at = end + 1, end = text.indexOf('\n', at)) {
    if (end === at) continue;
    count++;
    if (text.startsWith(nodePrefix, at) && text.charCodeAt(end - 1) === 125) {
      const node = nodeOf(text, at + nodePrefix.length - 1, end);
      if (node === undefined) continue;
      lines.set(node, text.slice(at, end));
      younger.add(node);
    } else if (text.startsWith(latePrefix + nodePrefix, at) && text.endsWith('}}', end)) {
      const node = nodeOf(text, at + latePrefix.length + nodePrefix.length - 1, end);
      if (node !== undefined && !younger.has(node)) lines.set(node, text.slice(at + latePrefix.length, end - 1));
    } else if (text.startsWith(rewritten, at)) {
      younger.clear();
    } else if (otherHeader.test(text.slice(at, Math.min(end, at + 40)))) {
      return {lines: new Map(), count: 0, foreign: true};
    }
  }
  return {lines, count, foreign: false};
}

/** The JSON string that begins at `start`; undefined when it does not end on the line. */
function nodeOf(text: string, start: number, end: number): NodeId | undefined {
  let close = text.indexOf('"', start + 1);
  let escaped = false;
  while (close > 0 && text.charCodeAt(close - 1) === 92) {
    escaped = true;
    let slashes = 0;
    while (text.charCodeAt(close - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) break;
    close = text.indexOf('"', close + 1);
  }
  if (close < 0 || close >= end) return undefined;
  if (!escaped) return text.slice(start + 1, close);
  const node = parseJson(text.slice(start, close + 1));
  return typeof node === 'string' ? node : undefined;
}

/** Appends in one write. When the file was replaced between opening and writing, the text went nowhere: do it again. */
function append(file: string, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let attempt = 0; attempt < 10; attempt++) {
    const fd = withFolder(file, () => openSync(file, 'a', 0o644));
    try {
      writeAll(fd, bytes);
      if (statSync(file, {throwIfNoEntry: false})?.ino === fstatSync(fd).ino) return;
    } finally {
      closeSync(fd);
    }
  }
}

/** Drops all but each node's last line, unless another process is doing that. */
function compact(file: string): void {
  rewrite(file, (old) => {
    const {lines} = parseLines(old.toString('utf8'));
    return Buffer.from([header, ...lines.values(), rewritten, ''].join('\n'), 'utf8');
  });
}

/**
 * Replaces the file's content. Others append without a lock; what they appended to the old file after it was read is
 * carried over, and what they append after it was replaced they append again (see `append`).
 */
function rewrite(file: string, change: (old: Buffer) => Buffer): void {
  const nonce = newNonce();
  const owner = introduce('a rewrite of the state', nonce);
  const lock = `${file}.lock`;
  if (tryLock(lock, owner) !== undefined) return;
  const temp = tempNames(dirname(file), nonce).next();
  const fd = openSync(file, 'r');
  try {
    const old = readFileSync(fd);
    writeNew(temp, change(old));
    renameSync(temp, file);
    // From the start of a line, should another process have been seen in the middle of its write.
    const start = old.lastIndexOf(10) + 1;
    const rest = Buffer.alloc(Math.max(0, fstatSync(fd).size - start));
    readSync(fd, rest, 0, rest.byteLength, start);
    const late = [...parseLines(rest.toString('utf8')).lines.values()];
    if (late.length > 0) append(file, `\n${late.map((line) => `${latePrefix}${line}}`).join('\n')}\n`);
  } catch (error) {
    rmSync(temp, {force: true});
    throw error;
  } finally {
    closeSync(fd);
    unlock(lock, owner);
  }
}
