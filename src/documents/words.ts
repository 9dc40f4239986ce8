import {err, ok, type Result} from '../core/result.ts';

/** A word of a directive and where it stands, as UTF-16 offsets with its quotes. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A mistake in a document, with the offending stretch as UTF-16 offsets. */
export interface Fault {
  readonly message: string;
  readonly hint?: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The words of a text as a shell takes them apart: white space between them, `'…'` as it stands, `"…"` with `\"` and `\\`,
 * outside of quotes `\` before any character.
 *
 * @param offset - where the text stands in the document
 */
export function splitWords(text: string, offset: number): Result<readonly Word[], Fault> {
  const words: Word[] = [];
  for (let at = 0; at < text.length;) {
    if (isBlank(text[at])) {
      at++;
      continue;
    }
    const start = at;
    let word = '';
    while (at < text.length && !isBlank(text[at])) {
      const quote = text[at];
      if (quote === "'" || quote === '"') {
        const quoted = readQuoted(text, at);
        if (quoted === undefined) {
          return err({message: `the quote ${quote} is not closed`, start: offset + at, end: offset + text.length});
        }
        word += quoted.text;
        at = quoted.end;
      } else {
        if (quote === '\\' && at + 1 < text.length) at++;
        word += text[at++];
      }
    }
    words.push({text: word, start: offset + start, end: offset + at});
  }
  return ok(words);
}

function readQuoted(text: string, from: number): {readonly text: string; readonly end: number} | undefined {
  const quote = text[from];
  let read = '';
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === quote) return {text: read, end: at + 1};
    if (quote === '"' && text[at] === '\\' && (text[at + 1] === '"' || text[at + 1] === '\\')) at++;
    read += text[at];
  }
  return undefined;
}

function isBlank(character: string | undefined): boolean {
  return character !== undefined && /\s/.test(character);
}
