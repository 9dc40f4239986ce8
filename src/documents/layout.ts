import type {Block} from './blocks.ts';

/** The line break of a text: that of its first line. */
function breakOf(text: string): '\n' | '\r\n' {
  const first = text.indexOf('\n');
  return first > 0 && text[first - 1] === '\r' ? '\r\n' : '\n';
}

/**
 * What stands between the comments of a block that holds this content: on lines of its own between empty ones, so that
 * Markdown takes it for what it is, each line with the block's prefix and the text's line breaks.
 *
 * @param content - lines with LF; the break at its end does not count
 */
export function bodyOf(text: string, {prefix, start}: Block, content: string): string {
  if (prefix === undefined) return content;
  const newline = breakOf(text.slice(Math.max(0, text.indexOf('\n', start) - 1)));
  const blank = prefix.trimEnd();
  const lines = content === '' ? [] : content.replace(/\n$/, '').split('\n');
  const whole = ['', blank, ...lines.map((line) => (line === '' ? blank : prefix + line)), blank, prefix];
  return (lines.length === 0 ? ['', prefix] : whole).join(newline);
}

/** The content of a block as it stands, with LF and without a break at its end; undefined when it is not laid out as `bodyOf` does. */
export function contentOf(text: string, block: Block): string | undefined {
  const {prefix, body} = block;
  const inside = text.slice(body.start, body.end).replaceAll('\r\n', '\n');
  if (prefix === undefined) return inside;
  const blank = prefix.trimEnd();
  const lines = inside.split('\n');
  if (lines.length < 5) return lines.length === 2 ? '' : undefined;
  return lines
    .slice(2, -2)
    .map((line) => (line === blank ? '' : line.startsWith(prefix) ? line.slice(prefix.length) : line))
    .join('\n');
}

/** The text with other bodies; everything outside of them stays byte for byte. */
export function replaceBodies(text: string, bodies: ReadonlyMap<Block, string>): string {
  const parts: string[] = [];
  let from = 0;
  for (const [{body}, content] of [...bodies].sort(([a], [b]) => a.body.start - b.body.start)) {
    parts.push(text.slice(from, body.start), content);
    from = body.end;
  }
  return [...parts, text.slice(from)].join('');
}

/** Why a text cannot stand in a block; undefined when it can. */
export function contentProblem(content: string): string | undefined {
  if (/<!--\s*(\/mixdown\s*-->|mixdown:)/.test(content)) return 'holds a mark that begins or ends a block';
  return content.includes('\0') ? 'is no text' : undefined;
}

/** A text that is not Markdown, to be shown as it is: in a fence longer than any in it. */
export function fencedText(content: string): string {
  const longest = (content.match(/^\s*`{3,}/gm) ?? []).reduce((most, run) => Math.max(most, run.trim().length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${content.replace(/\n$/, '')}\n${fence}\n`;
}

/** What `fencedText` put between its fences; undefined for any other text. */
export function unfencedText(content: string): string | undefined {
  const [, fence = '', inner] = /^(`{3,})text\n([^]*)\n(`{3,})\n?$/.exec(content) ?? [];
  return inner !== undefined && content.replace(/\n$/, '').endsWith(`\n${fence}`) ? inner : undefined;
}

/** A text within a line, as Markdown shows it and takes nothing else for: also where a backtick stands before it. */
export function escapeText(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\[\]*|~<]|(?<![a-z0-9])_|_(?![a-z0-9])|&(?=[#\w]+;)/gi, String.raw`\$&`)
    .replaceAll('`', '&#96;');
}

/** A link that shows an image. */
export function imageLink(path: string, alt: string): string {
  const target = path.replaceAll(/[\s<>()%?#"\\*`[\]|~&]/g, percentEncoded);
  return `![${escapeText(alt)}](${target})`;
}

function percentEncoded(character: string): string {
  const bytes = [...Buffer.from(character, 'utf8')];
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
