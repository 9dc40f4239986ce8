import {closeSync, openSync, readSync} from 'node:fs';
import {StageError} from 'mixdown/stage';

/**
 * The lines of a UTF-8 file, without their ends (LF or CRLF), read in steps: for tables too large to hold. `name` stands for the
 * file in messages. Throws StageError for bytes that are not UTF-8.
 */
export function* readLines(path: string, name: string): Generator<string, void> {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafeSlow(STEP_BYTES);
    const decode = utf8Decoder(name);
    let rest = '';
    for (;;) {
      const count = readSync(file, buffer);
      const lines = (rest + decode(buffer.subarray(0, count), count > 0)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield withoutReturn(line);
      if (count === 0) break;
    }
    if (rest !== '') yield withoutReturn(rest);
  } finally {
    closeSync(file);
  }
}

const STEP_BYTES = 2 ** 18;

/** Decodes bytes that may end inside a character unless `more` is false. */
function utf8Decoder(name: string): (bytes: Uint8Array, more: boolean) => string {
  const decoder = new TextDecoder('utf-8', {fatal: true});
  return (bytes, more) => {
    try {
      return decoder.decode(bytes, {stream: more});
    } catch {
      throw new StageError(`${name} is not UTF-8 text`);
    }
  };
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
