import {bytesText} from './bytes.ts';
import type {PageResult} from './page-data.ts';
import {cleanSvg} from './page-svg.ts';
import {tableContent, type PageContent, type ShowHint} from './page-table.ts';

/** Characters of a text that are kept. */
const mostText = 200_000;
const mostImageBytes = 1_000_000;
/** Of a table, before it is cut. */
const mostTableBytes = 32 * 1024 * 1024;

/** What a file holds, by its name. */
export type FileKind = 'markdown' | 'table' | 'svg' | 'bitmap' | 'text';

const kinds: Readonly<Record<string, FileKind>> = {
  md: 'markdown',
  markdown: 'markdown',
  csv: 'table',
  svg: 'svg',
  png: 'bitmap',
  jpg: 'bitmap',
  jpeg: 'bitmap',
  gif: 'bitmap',
  webp: 'bitmap',
  json: 'text',
  ndjson: 'text',
  txt: 'text',
  log: 'text',
  tex: 'text',
  yaml: 'text',
  yml: 'text',
  tsv: 'text',
};

/** Undefined for a file that a page cannot show. */
export function showableKind(file: string): FileKind | undefined {
  const extension = extensionOf(file);
  return Object.hasOwn(kinds, extension) ? kinds[extension] : undefined;
}

/** Where the bytes of a file can be read. */
export interface FileBytes {
  /** Bytes of it. */
  readonly size: number;
  /** All of it; undefined when it is gone. */
  readonly read: () => Uint8Array | undefined;
  /** Its first bytes, likewise. */
  readonly head: (bytes: number) => Uint8Array | undefined;
}

/**
 * What a file of this name shows; a text that says why when it can show nothing. Undefined for files of other kinds, and
 * for a table without rows.
 */
export function pageContent(file: string, bytes: FileBytes, alt: string, show?: ShowHint): PageContent | undefined {
  const kind = showableKind(file);
  if (kind === undefined) return undefined;
  switch (kind) {
    case 'markdown': {
      const found = textOf(bytes);
      if (!found) return gone();
      const {text, more} = found;
      return {kind, text: more === 0 ? text : `${text}\n\n… ${bytesText(more)} more are left out here.\n`};
    }
    case 'table': {
      if (bytes.size > mostTableBytes) return tooLarge(bytes.size);
      const read = bytes.read();
      return read ? tableContent(decode(read), show) : gone();
    }
    case 'svg':
    case 'bitmap': {
      if (bytes.size > mostImageBytes) return tooLarge(bytes.size);
      const read = bytes.read();
      return read ? image(file, read, alt) : gone();
    }
    case 'text': {
      const found = textOf(bytes);
      return found ? {kind, ...found} : gone();
    }
  }
}

/** What is said where the bytes of a result are gone. */
function gone(): PageContent<'text'> {
  return {kind: 'text', text: 'Its bytes are no longer in the cache; `mixdown run` makes them again.', more: 0};
}

function tooLarge(size: number): PageContent<'text'> {
  return {kind: 'text', text: `It is too large for this page: ${bytesText(size)}.`, more: 0};
}

function textOf({size, read, head}: FileBytes): {readonly text: string; readonly more: number} | undefined {
  const whole = size <= mostText;
  const bytes = whole ? read() : head(mostText);
  // A character that was cut in two is left out.
  return bytes && {text: decode(bytes, !whole), more: Math.max(0, size - mostText)};
}

function image(file: string, bytes: Uint8Array, alt: string): PageContent<'image' | 'text'> {
  const type = bitmapType(bytes);
  if (type !== undefined) return {kind: 'image', src: `data:image/${type};base64,${base64(bytes)}`, alt};
  const svg = extensionOf(file) === 'svg' ? cleanSvg(decode(bytes)) : undefined;
  if (svg !== undefined) {
    // Text in it can say what it shows better than who declared the file.
    const described = /<desc[^>]*>([^<]+)</.exec(svg)?.[1] ?? /<title[^>]*>([^<]+)</.exec(svg)?.[1];
    const src = `data:image/svg+xml;base64,${base64(new TextEncoder().encode(svg))}`;
    return {kind: 'image', src, alt: described === undefined ? alt : plainText(described)};
  }
  return {kind: 'text', text: 'It is no image that this page can show safely.', more: 0};
}

/** By the first bytes: a name can say anything. */
function bitmapType(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  if (head.startsWith('\u0089PNG\r\n\u001A\n')) return 'png';
  if (head.startsWith('\u00FF\u00D8\u00FF')) return 'jpeg';
  if (head.startsWith('GIF8')) return 'gif';
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'webp' : undefined;
}

function plainText(xml: string): string {
  const marks: Readonly<Record<string, string>> = {
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&apos;': "'",
    '&amp;': '&',
  };
  return xml.replaceAll(/&(?:lt|gt|quot|apos|amp);/g, (mark) => marks[mark] ?? mark).trim();
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function decode(bytes: Uint8Array, cut = false): string {
  return new TextDecoder().decode(bytes, {stream: cut});
}

function extensionOf(file: string): string {
  return /\.([^./]+)$/.exec(file)?.[1]?.toLowerCase() ?? '';
}

/** Characters that a result adds to the page, about. */
export function resultSize(result: PageResult): number {
  return JSON.stringify(result).length;
}
