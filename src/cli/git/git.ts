import {failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';

/** What git said. Bytes, for a blob may be no text. */
export interface GitAnswer {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Larger answers are taken for a mistake. */
const mostBytes = 512 * 1024 * 1024;

/**
 * Runs git in a folder; it fails only when git itself cannot be started. Takes no locks of the repository, so that the index
 * stays as it is, and finds the repository from the folder: a hook that calls mixdown may have set another.
 *
 * @param input - for its stdin
 */
export async function git(folder: string, args: readonly string[], input = ''): Promise<Result<GitAnswer>> {
  const {execFile} = await import('node:child_process');
  const {GIT_DIR: _, GIT_WORK_TREE: __, GIT_INDEX_FILE: ___, GIT_PREFIX: ____, ...inherited} = process.env;
  const env = {...inherited, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C'};
  return new Promise((resolve) => {
    const options = {cwd: folder, env, encoding: 'buffer', maxBuffer: mostBytes, windowsHide: true} as const;
    const child = execFile('git', [...args], options, (error, stdout, stderr) => {
      // A number is git's exit status; a text says why there is none.
      if (error && typeof error.code !== 'number') resolve(err([unusable(error)]));
      else resolve(ok({code: Number(error?.code ?? 0), stdout, stderr: stderr.toString('utf8')}));
    });
    // An answer may come before all was read.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** git's own message without its first word, on one line. */
export function gitMessage({code, stderr}: GitAnswer): string {
  const [first = ''] = stderr.trim().split('\n');
  return first.replace(/^(?:fatal|error): /, '') || `it ended with ${code}`;
}

function unusable(error: Error): ReturnType<typeof failure> {
  const {code, message} = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return failure('no-repository', 'git is not installed, or not on PATH');
  return failure('no-repository', `git cannot be used: ${message}`);
}
