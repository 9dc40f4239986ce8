import {StringDecoder} from 'node:string_decoder';

/** What a stream of a worker carries besides the stage's own text. Marks are whole lines that start with a token. */
export interface LineSink {
  /** Whole lines, without the last newline. `marked`: written by the stage's `log`. */
  lines(text: string, marked: boolean): void;
  /** The worker has written everything that belongs to this job. */
  end(job: number): void;
}

export interface LineReader {
  push(chunk: Uint8Array): void;
  /** The stream closed: what is left counts as a line. */
  finish(): void;
}

/** A line longer than this is cut, in UTF-16 units: a program that never writes a newline must not fill the memory. */
const maxLine = 64 * 1024;

/** No mark is longer, in UTF-16 units. */
const longestMark = 128;

/** First of the marks of a worker with this token. The zero byte keeps it apart from ordinary text. */
function markPrefix(token: string): string {
  return `\0${token}:`;
}

export function logMark(token: string): string {
  return `${markPrefix(token)}L`;
}

export function endMark(token: string, job: number): string {
  return `${markPrefix(token)}E${job}\n`;
}

/** Cuts a byte stream into lines and tells marks from text. `token` absent: the stream has no marks. */
export function createLineReader(sink: LineSink, token?: string): LineReader {
  const decoder = new StringDecoder('utf8');
  const mark = token === undefined ? undefined : markPrefix(token);
  let rest = '';
  let batch: string[] = [];
  let batchMarked = false;

  const flush = (): void => {
    if (batch.length === 0) return;
    const text = batch.join('\n');
    batch = [];
    sink.lines(text, batchMarked);
  };
  const add = (line: string, marked: boolean): void => {
    if (marked !== batchMarked) flush();
    batchMarked = marked;
    batch.push(visible(line));
  };
  const take = (line: string): void => {
    const at = mark === undefined ? -1 : line.indexOf(mark);
    if (mark === undefined || at < 0) {
      add(line, false);
      return;
    }
    if (at > 0) add(line.slice(0, at), false);
    const body = line.slice(at + mark.length);
    if (body.startsWith('E')) {
      flush();
      sink.end(Number(body.slice(1)));
    } else {
      add(body.slice(1), true);
    }
  };

  return {
    push(chunk) {
      const lines = (rest + decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
      if (rest.length > maxLine) {
        const cut = cutAt(rest);
        take(rest.slice(0, cut));
        rest = rest.slice(cut);
      }
      flush();
    },
    finish() {
      rest += decoder.end();
      if (rest !== '') take(rest);
      rest = '';
      flush();
    },
  };
}

/** Where to cut a line that is too long: not inside a mark that has come only in part. */
function cutAt(text: string): number {
  const zero = text.lastIndexOf('\0');
  return zero > text.length - longestMark ? zero : text.length;
}

/** What a terminal would show of the line: a progress bar that rewrites itself leaves its last state. */
function visible(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}
