import {parseInline, type Inline} from './markdown-inline.ts';

/** Text of a document, in the pieces that it is shown in. HTML in it is text like any other. */
export type Block =
  | {readonly kind: 'heading'; readonly level: number; readonly text: readonly Inline[]}
  | {readonly kind: 'paragraph'; readonly text: readonly Inline[]}
  | {readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Inline[])[]}
  | {readonly kind: 'code'; readonly text: string}
  | {readonly kind: 'rule'}
  | MarkdownTable;

export interface MarkdownTable {
  readonly kind: 'table';
  readonly align: readonly Align[];
  readonly head: readonly (readonly Inline[])[];
  readonly rows: readonly (readonly (readonly Inline[])[])[];
}

export type Align = 'left' | 'right' | 'center';

/**
 * The part of Markdown that result files use: headings, paragraphs, flat lists, tables, fenced code and rules. Anything
 * else stays the text that it is.
 */
export function parseMarkdown(text: string): readonly Block[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length;) {
    const {block, next} = readBlock(lines, at);
    if (block !== undefined) blocks.push(block);
    at = next;
  }
  return blocks;
}

interface Read {
  readonly block?: Block;
  readonly next: number;
}

function readBlock(lines: readonly string[], at: number): Read {
  const line = lines[at] ?? '';
  if (line.trim() === '') return {next: at + 1};
  const heading = HEADING.exec(line);
  if (heading !== null) {
    const [, marks = '', title = ''] = heading;
    return {block: {kind: 'heading', level: marks.length, text: parseInline(withoutMarks(title))}, next: at + 1};
  }
  if (FENCE.test(line)) return readCode(lines, at);
  if (RULE.test(line)) return {block: {kind: 'rule'}, next: at + 1};
  if (startsTable(lines, at)) return readTable(lines, at);
  if (ITEM.test(line)) return readList(lines, at);
  return readParagraph(lines, at);
}

const HEADING = /^ {0,3}(#{1,6})\s+(.*)$/;
const FENCE = /^ {0,3}```/;
const RULE = /^ {0,3}(?:-\s*){3,}$|^ {0,3}(?:\*\s*){3,}$/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s+/;
const DELIMITER = /^\|?:?-+:?(?:\|:?-+:?)*\|?$/;

function startsTable(lines: readonly string[], at: number): boolean {
  return (lines[at] ?? '').includes('|') && DELIMITER.test((lines[at + 1] ?? '').replaceAll(/\s+/g, ''));
}

/** A heading without the marks that may close it. */
function withoutMarks(title: string): string {
  const text = title.trimEnd();
  let end = text.length;
  while (text.charAt(end - 1) === '#') end--;
  return end === text.length || (end > 0 && text.charAt(end - 1) !== ' ') ? text : text.slice(0, end).trimEnd();
}

function readCode(lines: readonly string[], at: number): Read {
  let end = at + 1;
  while (end < lines.length && !FENCE.test(lines[end] ?? '')) end++;
  return {block: {kind: 'code', text: lines.slice(at + 1, end).join('\n')}, next: end + 1};
}

function readTable(lines: readonly string[], at: number): Read {
  const head = splitRow(lines[at] ?? '');
  const align = splitRow(lines[at + 1] ?? '').map(alignOf);
  let end = at + 2;
  while (end < lines.length && (lines[end] ?? '').trim() !== '' && (lines[end] ?? '').includes('|')) end++;
  const rows = lines.slice(at + 2, end).map((line) => {
    const cells = splitRow(line);
    return head.map((_, column) => parseInline(cells[column] ?? ''));
  });
  return {
    block: {kind: 'table', align: head.map((_, column) => align[column] ?? 'left'), head: head.map(parseInline), rows},
    next: end,
  };
}

function readList(lines: readonly string[], at: number): Read {
  const items: string[] = [];
  let end = at;
  for (; end < lines.length; end++) {
    const line = lines[end] ?? '';
    if (ITEM.test(line)) items.push(line.replace(ITEM, ''));
    else if (/^\s+\S/.test(line)) items.push(`${items.pop() ?? ''} ${line.trim()}`);
    else break;
  }
  const ordered = /^\s*\d/.test(lines[at] ?? '');
  return {block: {kind: 'list', ordered, items: items.map(parseInline)}, next: end};
}

function readParagraph(lines: readonly string[], at: number): Read {
  let end = at + 1;
  while (end < lines.length && !startsBlock(lines, end)) end++;
  const text = lines.slice(at, end).map((line) => line.trim());
  return {block: {kind: 'paragraph', text: parseInline(text.join(' '))}, next: end};
}

function startsBlock(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? '';
  return line.trim() === '' || [HEADING, FENCE, RULE, ITEM].some((mark) => mark.test(line)) || startsTable(lines, at);
}

/** Cells of a row; a bar after a backslash, or between backticks, belongs to its cell. */
function splitRow(line: string): readonly string[] {
  const cells = [''];
  let code = false;
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === '`') code = !code && line.includes('`', at + 1);
    if (char === '\\' && line.charAt(at + 1) === '|') {
      cells[cells.length - 1] += '|';
      at++;
    } else if (char === '|' && !code) cells.push('');
    else cells[cells.length - 1] += char;
  }
  if (cells.length > 1 && cells[0]?.trim() === '') cells.shift();
  if (cells.length > 1 && cells.at(-1)?.trim() === '') cells.pop();
  return cells.map((cell) => cell.trim());
}

function alignOf(delimiter: string): Align {
  if (!delimiter.endsWith(':')) return 'left';
  return delimiter.startsWith(':') ? 'center' : 'right';
}
