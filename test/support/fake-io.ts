import type {Io, Output} from '../../src/cli/io.ts';

/** A process in memory: what was written, and nobody to ask unless answers are given. */
export interface FakeIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
}

export function fakeIo(
  cwd: string,
  argv: readonly string[] = [],
  options: {readonly env?: Io['env']; readonly isTTY?: boolean; readonly answer?: string} = {},
): FakeIo {
  const {env = {}, isTTY = false, answer} = options;
  const [stdout, out] = memoryOutput(isTTY);
  const [stderr, err] = memoryOutput(isTTY);
  return {argv, cwd, env, stdout, stderr, out, err, now: () => 0, ask: () => Promise.resolve(answer)};
}

function memoryOutput(isTTY: boolean): readonly [Output, () => string] {
  let text = '';
  const output: Output = {
    write: (piece) => (text += piece),
    writeBytes: (bytes) => (text += Buffer.from(bytes).toString('utf8')),
    isTTY,
    size: () => ({columns: 100, rows: 30}),
  };
  return [output, () => text];
}
