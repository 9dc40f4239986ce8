import {directiveKinds, parseDirective, type Directive} from './directive.ts';
import {scanComments} from './markdown-scan.ts';
import type {Fault} from './words.ts';

/** A marked stretch of a Markdown text. Offsets are UTF-16 units. */
export interface Block {
  readonly directive: Directive;
  /** The directive as written, on one line. */
  readonly source: string;
  readonly start: number;
  /** What stands between the two comments. */
  readonly body: {readonly start: number; readonly end: number};
  /** Undefined for a block within a line; else what each of its lines begins with: indentation, `>` of a quote. */
  readonly prefix?: string;
}

export interface FoundBlocks {
  readonly blocks: readonly Block[];
  /** In the order of their places. */
  readonly faults: readonly Fault[];
  /** What Markdown readers will not show as it is meant. */
  readonly remarks: readonly Fault[];
}

/** Kinds that stand within a line, and those that may. */
const inline: ReadonlySet<Directive['kind']> = new Set(['value', 'figure']);

/** The blocks `<!-- mixdown: … -->` … `<!-- /mixdown -->` of a Markdown text, and what is wrong with others. */
export function findBlocks(text: string): FoundBlocks {
  const blocks: Block[] = [];
  const faults: Fault[] = [];
  const remarks: Fault[] = [];
  scanComments(text, ({start, end}) => {
    const comment = text.slice(start + 4, end - 3);
    const begin = /^\s*mixdown:/.exec(comment);
    if (!begin) {
      const problem = strayProblem(comment);
      if (problem) faults.push({...problem, start, end});
      return end;
    }
    // Markers count wherever they stand in the body: what a block holds may look like anything.
    marker.lastIndex = end;
    const close = marker.exec(text);
    if (close?.[1] === undefined) {
      const message = close ? 'the block is not closed before the next one begins' : 'the block is not closed';
      faults.push({start, end, message, hint: 'write `<!-- /mixdown -->` behind it'});
      return end;
    }
    const body = {start: end, end: close.index};
    const directiveText = comment.slice(begin[0].length);
    const parsed = parseDirective(directiveText, start + 4 + begin[0].length);
    const stop = marker.lastIndex;
    if (!parsed.ok) faults.push(...parsed.error);
    else {
      const placed = placeOf(text, {start, stop, body}, parsed.value.kind);
      if ('message' in placed) faults.push({start, end, ...placed});
      else {
        const source = directiveText.trim().replaceAll(/\s+/g, ' ');
        blocks.push({directive: parsed.value, source, start, body, ...placed});
        if (placed.prefix === undefined) remarks.push(...remarksOn(text, start, end));
      }
    }
    return stop;
  });
  return {blocks, faults: faults.sort((a, b) => a.start - b.start), remarks};
}

const marker = /<!--\s*(?:(\/mixdown)\s*-->|mixdown:)/g;

function strayProblem(comment: string): Pick<Fault, 'message' | 'hint'> | undefined {
  if (/^\s*\/mixdown:?\s*$/.test(comment)) return {message: 'there is no block that ends here'};
  const word = /^\s*mixdown\s+([a-z]+)\b/.exec(comment)?.[1];
  return word !== undefined && directiveKinds.some((kind) => kind === word)
    ? {message: 'a colon stands behind `mixdown`', hint: `write \`<!-- mixdown: ${word} … -->\``}
    : undefined;
}

/** A comment within a line is at the mercy of readers that follow older rules than those of its own lines. */
function remarksOn(text: string, start: number, end: number): readonly Fault[] {
  const remarks: Fault[] = [];
  const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  if (/^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*$/.test(before)) {
    const message = 'a comment that begins a line ends the paragraph, and the rest of the line is no Markdown';
    remarks.push({start, end, message, hint: 'put a word before it'});
  }
  if (text.slice(start + 4, end - 3).includes('--')) {
    const message = 'GitHub shows a comment within a line as text when `--` stands in it';
    remarks.push({start, end, message, hint: 'write options without it, such as `digits=3`'});
  }
  if (/^[ \t>]*\|/.test(before) && /(?<!\\)\|/.test(text.slice(start, end))) {
    const message = 'a `|` ends the cell of a table, also within a comment';
    remarks.push({start, end, message, hint: 'write `\\|`'});
  }
  return remarks;
}

interface Extent {
  readonly start: number;
  readonly stop: number;
  readonly body: Block['body'];
}

/** Whether a block has its lines to itself, and if it must. */
function placeOf(
  text: string,
  {start, stop, body}: Extent,
  kind: Directive['kind'],
): Pick<Block, 'prefix'> | Pick<Fault, 'message' | 'hint'> {
  const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  const lineStop = text.indexOf('\n', stop);
  const after = text.slice(stop, lineStop < 0 ? undefined : lineStop);
  const inside = text.slice(body.start, body.end);
  const alone = /^[ \t>]*$/.test(before) && after.trim() === '';
  if (inline.has(kind) && (kind === 'value' || !alone)) {
    return inside.includes('\n') ? {message: `\`${kind}\` and its end stand on one line`} : {};
  }
  const [first = '', ...rest] = inside.split('\n');
  const last = rest.at(-1) ?? '';
  if (alone && first.trim() === '' && /^[ \t>]*$/.test(last)) return {prefix: before};
  if (alone && rest.length === 0) return {prefix: before};
  const hint = 'put `<!-- mixdown: … -->` and `<!-- /mixdown -->` on lines of their own';
  return {message: `\`${kind}\` has its lines to itself`, hint};
}
