import type {Digest} from '../core/digest.ts';
import {canonicalJson, type Json} from '../core/json.ts';
import type {CodeChange, EntryChanges, StaleReason} from '../core/reason.ts';
import {countText, listText} from './count-text.ts';
import {vouchedText} from './origin-text.ts';

/** Exact lines for a list of reasons, in their order; waits for producers are gathered by input. */
export function explainLines(reasons: readonly StaleReason[]): string[] {
  const lines: string[] = [];
  const waiting = upstreamByInput(reasons);
  for (const reason of reasons) {
    if (reason.kind !== 'upstream') {
      lines.push(...reasonLines(reason));
      continue;
    }
    const nodes = waiting.get(reason.input);
    if (nodes === undefined) continue;
    waiting.delete(reason.input);
    lines.push(upstreamLine(reason.input, nodes));
  }
  return lines;
}

/** One short phrase for a list of reasons, for tables and progress lines: `param alpha, input features`. */
export function explainBriefly(reasons: readonly StaleReason[]): string {
  const phrases = new Set<string>();
  const waiting = new Set<string>();
  for (const reason of reasons) {
    if (reason.kind === 'upstream') waiting.add(reason.input);
    else phrases.add(brief(reason));
  }
  if (waiting.size > 0) phrases.add(`waits for ${listText([...waiting], 3)}`);
  return listText([...phrases], 3);
}

function reasonLines(reason: Exclude<StaleReason, {kind: 'upstream'}>): string[] {
  switch (reason.kind) {
    case 'never-built':
      return ['never built: there is no earlier result to compare with'];
    case 'stage-changed':
      return [`stage: ${reason.before} -> ${reason.after}`];
    case 'code-changed':
      return reason.files === undefined || reason.files.length === 0
        ? [`code: ${shortHash(reason.before)} -> ${shortHash(reason.after)}`]
        : reason.files.map(codeLine);
    case 'param-changed': {
      const [before, after] = jsonPair(reason.before, reason.after);
      return [`${paramName(reason.param)}: ${before} -> ${after}`];
    }
    case 'param-added':
      return [`${paramName(reason.param)}: added, ${jsonText(reason.after)}`];
    case 'param-removed':
      return [`${paramName(reason.param)}: removed, was ${jsonText(reason.before)}`];
    case 'input-changed': {
      const port = reason.index === undefined ? reason.input : `${reason.input}[${reason.index}]`;
      const entries = reason.entries === undefined ? '' : ` (${entriesText(reason.entries)})`;
      return [`input ${port}: ${digestText(reason.before)} -> ${digestText(reason.after)}${entries}`];
    }
    case 'input-count-changed':
      return [`input ${reason.input}: ${countText(reason.before, 'artifact')} -> ${reason.after}`];
    case 'input-added':
      return [`input ${reason.input}: added`];
    case 'input-removed':
      return [`input ${reason.input}: removed`];
    case 'outputs-changed': {
      const [before, after] = jsonPair(reason.before, reason.after);
      return [`declared outputs: ${before} -> ${after}`];
    }
    case 'seed-changed':
      return [`seed: ${reason.before} -> ${reason.after}`];
    case 'toolchain-changed':
      return [`${toolName(reason.tool)}: ${reason.before ?? 'absent'} -> ${reason.after ?? 'absent'}`];
    case 'salt-changed':
      return ['salt changed'];
    case 'slicing-changed':
      return [`each: ${slicingText(reason.before)} -> ${slicingText(reason.after)}`];
    case 'output-missing':
      return [`output ${reason.output}: its bytes are missing from the cache or damaged`];
    case 'distrusted':
      return [
        `the result that is here is not used: ${vouchedText(reason.voucher, reason.builder)} vouched for a wrong one`,
      ];
    case 'recheck':
      return [`made again to see whether what ${vouchedText(reason.voucher)} vouches for is right`];
    case 'forced':
      return ['forced by --force'];
  }
}

function brief(reason: Exclude<StaleReason, {kind: 'upstream'}>): string {
  switch (reason.kind) {
    case 'never-built':
      return 'never built';
    case 'stage-changed':
      return 'stage';
    case 'code-changed':
      return 'code';
    case 'param-changed':
    case 'param-added':
    case 'param-removed':
      return paramName(reason.param);
    case 'input-changed':
    case 'input-count-changed':
    case 'input-added':
    case 'input-removed':
      return `input ${reason.input}`;
    case 'outputs-changed':
      return 'declared outputs';
    case 'seed-changed':
      return 'seed';
    case 'toolchain-changed':
      return toolName(reason.tool);
    case 'salt-changed':
      return 'salt';
    case 'slicing-changed':
      return 'each';
    case 'output-missing':
      return `output ${reason.output} missing`;
    case 'distrusted':
      return 'distrusted';
    case 'recheck':
      return 'a sample of what others made';
    case 'forced':
      return 'forced';
  }
}

function toolName(tool: string): string {
  return tool === 'engine' ? 'tensor engine' : `toolchain ${tool}`;
}

/** What a command node runs is kept among its params. */
function paramName(param: string): string {
  return param === '$command' ? 'command' : `param ${param}`;
}

function upstreamByInput(reasons: readonly StaleReason[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const reason of reasons) {
    if (reason.kind !== 'upstream') continue;
    const nodes = found.get(reason.input);
    if (nodes) nodes.push(reason.node);
    else found.set(reason.input, [reason.node]);
  }
  return found;
}

function upstreamLine(input: string, nodes: readonly string[]): string {
  const [first = ''] = nodes;
  if (nodes.length === 1) return `input ${input}: not known until ${first} has run`;
  return `input ${input}: not known until ${countText(nodes.length, 'node')} have run (${listText(nodes, 3)})`;
}

function codeLine(change: CodeChange): string {
  const {what, name, before, after} = change;
  if (what === 'file') {
    return `code: ${name} ${before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'}`;
  }
  if (before === undefined) return `package ${name} ${after ?? ''}: now imported`;
  if (after === undefined) return `package ${name} ${before}: no longer imported`;
  return `package ${name} ${before} -> ${after}`;
}

/** `2 of 110 entries changed: a, b; 1 added: c; 1 removed: d`. */
export function entriesText(changes: EntryChanges): string {
  const parts: string[] = [];
  const part = (count: number, paths: readonly string[], words: string): void => {
    if (count > 0) parts.push(`${words}: ${listText(paths, 5, count)}`);
  };
  const {addedCount, removedCount, changedCount, total} = changes;
  part(changedCount, changes.changed, `${changedCount} of ${countText(total, 'entry', 'entries')} changed`);
  part(addedCount, changes.added, `${addedCount} added`);
  part(removedCount, changes.removed, `${removedCount} removed`);
  return parts.length === 0 ? 'same entries, written differently' : parts.join('; ');
}

function slicingText(port: string | undefined): string {
  return port === undefined ? 'not sliced' : `by ${port}`;
}

function digestText(digest: Digest): string {
  return shortHash(digest.hash);
}

function shortHash(hash: string): string {
  return `${hash.slice(0, 8)}…`;
}

const longest = 72;

function jsonText(value: Json): string {
  const text = canonicalJson(value);
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

/** Both values in full when short; else cut so that the first difference is seen in both. */
function jsonPair(before: Json, after: Json): readonly [string, string] {
  const a = canonicalJson(before);
  const b = canonicalJson(after);
  if (a.length <= longest && b.length <= longest) return [a, b];
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  const from = Math.max(0, same - 16);
  const cut = (text: string): string =>
    `${from > 0 ? '…' : ''}${text.slice(from, from + longest)}${text.length > from + longest ? '…' : ''}`;
  return [cut(a), cut(b)];
}
