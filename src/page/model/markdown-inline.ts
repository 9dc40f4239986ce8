/** A run of text: plain, emphasised, code, or a link to a web page. */
export type Inline =
  | {readonly kind: 'text' | 'strong' | 'emphasis' | 'code'; readonly text: string}
  | {readonly kind: 'link'; readonly text: string; readonly href: string};

/** Emphasis, code and links of one line. An image is its alternative text; a link that is no web address is its text. */
export function parseInline(text: string): readonly Inline[] {
  const pieces: Inline[] = [];
  let plain = '';
  let at = 0;
  while (at < text.length) {
    const found = spanAt(text, at);
    if (found === undefined) {
      plain += text.charAt(at);
      at++;
      continue;
    }
    if (plain !== '') pieces.push({kind: 'text', text: plain});
    plain = '';
    pieces.push(found.piece);
    at += found.length;
  }
  if (plain !== '') pieces.push({kind: 'text', text: plain});
  return pieces;
}

/** The text without its marks. */
export function inlineText(pieces: readonly Inline[]): string {
  return pieces.map(({text}) => text).join('');
}

interface Span {
  readonly piece: Inline;
  readonly length: number;
}

// Each looks no further than a few hundred characters, so that text full of opening marks stays linear.
const ESCAPE = /^\\([!-/:-@[-`{-~])/;
const CODE = /^`([^`]{1,400})`/;
const STRONG = /^(?:\*\*(?=\S)([^*]{1,400}?)(?<=\S)\*\*|__(?=\S)([^_]{1,400}?)(?<=\S)__(?!\w))/;
const EMPHASIS = /^(?:\*(?=\S)([^*]{1,400}?)(?<=\S)\*|_(?=\S)([^_]{1,400}?)(?<=\S)_(?!\w))/;
const LINK = /^(!?)\[([^\]]{0,400})\]\(((?:[^()\s]|\([^()\s]{0,200}\)){0,1000})(?:\s+"[^"]{0,400}")?\)/;

function spanAt(text: string, at: number): Span | undefined {
  switch (text.charAt(at)) {
    case '\\':
      return span(ESCAPE, text, at, ([, char = '']) => ({kind: 'text', text: char}));
    case '`':
      return span(CODE, text, at, ([, code = '']) => ({kind: 'code', text: code}));
    case '*':
    case '_':
      if (text.charAt(at) === '_' && /\w/.test(text.charAt(at - 1))) return undefined;
      return (
        span(STRONG, text, at, (match) => ({kind: 'strong', text: match[1] ?? match[2] ?? ''})) ??
        span(EMPHASIS, text, at, (match) => ({kind: 'emphasis', text: match[1] ?? match[2] ?? ''}))
      );
    case '!':
    case '[':
      return span(LINK, text, at, linkPiece);
    default:
      return undefined;
  }
}

function span(pattern: RegExp, text: string, at: number, piece: (match: RegExpExecArray) => Inline): Span | undefined {
  const match = pattern.exec(text.slice(at, at + 2000));
  return match === null ? undefined : {piece: piece(match), length: match[0].length};
}

function linkPiece([, image = '', text = '', target = '']: RegExpExecArray): Inline {
  if (image !== '' || !/^https?:\/\/[^\s]+$/i.test(target)) return {kind: 'text', text};
  return {kind: 'link', text: text === '' ? target : text, href: target};
}
