import {exitCodes} from './exit.ts';

/** One output of the process. */
export interface Output {
  write(text: string): void;
  writeBytes(bytes: Uint8Array): void;
  readonly isTTY: boolean;
  size(): {readonly columns: number; readonly rows: number};
}

/** What a command sees of the process it runs in. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  readonly now: () => number;
  /** Reads one line that the user types; undefined when there is nobody to ask. */
  ask(question: string): Promise<string | undefined>;
}

/**
 * The real process. A reader that goes away (`mixdown runs | head`) ends the process quietly: what it wanted, it has. But
 * not with success, for a run may be in the middle of its work.
 */
export function processIo(): Io {
  endWithReader(process.stdout);
  endWithReader(process.stderr);
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    now: Date.now,
    ask,
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    writeBytes: (bytes) => void stream.write(bytes),
    // Absent, not false, on a pipe.
    isTTY: stream.isTTY || false,
    size: () => ({columns: stream.columns || 80, rows: stream.rows || 24}),
  };
}

function endWithReader(stream: NodeJS.WriteStream): void {
  stream.on('error', ({code, message}: NodeJS.ErrnoException) => {
    // A closed pipe, or a terminal that is gone.
    if (code === 'EPIPE' || code === 'EIO') process.exit(process.exitCode ?? exitCodes.readerGone);
    if (stream !== process.stderr) process.stderr.write(`error: the output could not be written: ${message}\n`);
    process.exit(exitCodes.nodeFailed);
  });
}

async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const {createInterface} = await import('node:readline/promises');
  const lines = createInterface({input: process.stdin, output: process.stderr});
  const closed = new AbortController();
  lines.once('close', () => closed.abort());
  try {
    return await lines.question(question, {signal: closed.signal});
  } catch {
    return undefined;
  } finally {
    lines.close();
  }
}
