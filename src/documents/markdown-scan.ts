/** An HTML comment, as UTF-16 offsets. */
export interface Comment {
  readonly start: number;
  /** Behind `-->`. */
  readonly end: number;
}

/** Where in a Markdown text a line of a fenced block may end it. */
interface Fence {
  readonly mark: string;
  /** How many quotes it stands in, and how far the item of a list that it stands in is indented. */
  readonly quotes: number;
  readonly indent: number;
}

/**
 * Finds the HTML comments of a Markdown text from the first on, but not what is shown as code: fenced, indented, or between
 * backticks. Comments within comments are none.
 *
 * @param onComment - returns where to go on, at the end of the comment or later
 */
export function scanComments(text: string, onComment: (comment: Comment) => number): void {
  let fence: Fence | undefined;
  let items: readonly number[] = [];
  let inParagraph = false;
  for (let at = 0; at < text.length;) {
    const end = lineEnd(text, at);
    const line = readLine(text.slice(at, end), items);
    const {quotes, indent, rest, restAt} = line;
    const next = end + 1;
    if (fence && (quotes < fence.quotes || (rest !== '' && indent < fence.indent))) fence = undefined;
    if (fence) {
      if (closes(rest, fence.mark)) fence = undefined;
      at = next;
      continue;
    }
    if (rest === '') {
      inParagraph = false;
      at = next;
      continue;
    }
    const inner = line.items.at(-1) ?? 0;
    if (indent - inner >= 4 && !inParagraph) {
      at = next;
      continue;
    }
    ({items} = line);
    const mark = /^(`{3,})[^`]*$|^(~{3,})/.exec(rest);
    if (mark) {
      fence = {mark: mark[1] ?? mark[2] ?? '', quotes, indent: inner};
      inParagraph = false;
      at = next;
      continue;
    }
    inParagraph = !/^#{1,6}(\s|$)/.test(rest);
    at = scanLine(text, at + restAt, end, onComment);
  }
}

interface Line {
  readonly quotes: number;
  /** Columns before the first character, or before the marker of an item's first. */
  readonly indent: number;
  /** Indentations of the content of the items of lists that the line stands in. */
  readonly items: readonly number[];
  /** The line without quotes, indentation and markers of items. */
  readonly rest: string;
  readonly restAt: number;
}

function readLine(line: string, items: readonly number[]): Line {
  const quote = /^(?:[ \t]{0,3}>[ \t]?)*/.exec(line)?.[0] ?? '';
  const quotes = quote.replaceAll(/[^>]/g, '').length;
  let restAt = quote.length;
  const spaces = (): number => {
    const blank = /^[ \t]*/.exec(line.slice(restAt))?.[0] ?? '';
    restAt += blank.length;
    let column = 0;
    for (const character of blank) column += character === '\t' ? 4 - (column % 4) : 1;
    return column;
  };
  let indent = spaces();
  if (line.slice(restAt).trim() === '') return {quotes, indent, items, rest: '', restAt};
  const open = items.filter((content) => content <= indent);
  for (;;) {
    const marker = /^(?:[-*+]|\d{1,9}[.)])(?=[ \t]|$)/.exec(line.slice(restAt))?.[0];
    if (marker === undefined || indent - (open.at(-1) ?? 0) >= 4) break;
    restAt += marker.length;
    const before = restAt;
    const width = spaces();
    // Five and more are one and indented code.
    const step = marker.length + (width > 4 || width === 0 ? 1 : width);
    if (width > 4) restAt = before + 1;
    open.push(indent + step);
    indent += marker.length + width;
    if (width > 4) break;
  }
  return {quotes, indent, items: open, rest: line.slice(restAt).trim(), restAt};
}

/** Scans a line of text from `from`; returns the start of a line further on. */
function scanLine(text: string, from: number, end: number, onComment: (comment: Comment) => number): number {
  let lineStop = end;
  for (let at = from; at < lineStop;) {
    const character = text[at];
    if (character === '\\') {
      at += 2;
    } else if (character === '`') {
      const run = /^`+/.exec(text.slice(at, lineStop))?.[0].length ?? 1;
      const close = closingRun(text, at + run, run);
      at = close ?? at + run;
      if (at > lineStop) lineStop = lineEnd(text, at);
    } else if (text.startsWith('<!--', at)) {
      const stop = text.indexOf('-->', at + 4);
      // What begins a line ends at `-->` only; within a line, an empty line leaves it text.
      if (stop < 0 && at === from) return text.length;
      if (stop < 0 || (at > from && /\n[ \t>]*\r?\n/.test(text.slice(at, stop)))) {
        at += 4;
        continue;
      }
      at = onComment({start: at, end: stop + 3});
      if (at > lineStop) lineStop = lineEnd(text, at);
    } else {
      at++;
    }
  }
  return lineStop + 1;
}

/** Where code that began with so many backticks ends: at as many, before the paragraph does. */
function closingRun(text: string, from: number, length: number): number | undefined {
  const runs = /`+|\n/g;
  runs.lastIndex = from;
  for (let found = runs.exec(text); found; found = runs.exec(text)) {
    if (found[0] === '\n') {
      if (blockStart.test(text.slice(runs.lastIndex, lineEnd(text, runs.lastIndex)))) return undefined;
    } else if (found[0].length === length) {
      return runs.lastIndex;
    }
  }
  return undefined;
}

/** Lines that end a paragraph, and rows of tables. */
const blockStart = /^[ \t>]*(?:$|\r$|[-*+][ \t]|\d{1,9}[.)][ \t]|#{1,6}[ \t]|`{3}|~{3}|\||<!--|=+\s*$)/;

function closes(rest: string, mark: string): boolean {
  return rest.length >= mark.length && rest === (mark[0] ?? '').repeat(rest.length);
}

function lineEnd(text: string, from: number): number {
  const found = text.indexOf('\n', from);
  return found < 0 ? text.length : found;
}
