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
 * The real process. A reader that goes away (`mixdown runs | head`) ends the process quietly: what it wanted, it has.
 */
export function processIo(): Io {
  quietOnBrokenPipe(process.stdout);
  quietOnBrokenPipe(process.stderr);
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

function quietOnBrokenPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
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
