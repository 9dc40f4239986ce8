import {spawn, type ChildProcess} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {build} from 'esbuild';

/** A program compiled for a child process, for tests that need a real process to race with or to kill. */
export interface Program {
  start(args: readonly string[], launcher?: readonly string[]): Child;
  remove(): void;
}

export interface Child {
  readonly process: ChildProcess;
  /** What it prints, line by line. */
  readonly lines: AsyncIterableIterator<string>;
  /** Exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Bundles a TypeScript program with everything it imports. */
export async function compile(entry: string): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'mixdown-child-'));
  const outfile = join(folder, 'child.mjs');
  await build({entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent'});
  return {
    start(args, launcher = []) {
      const [command = process.execPath, ...rest] = [...launcher, process.execPath, outfile, ...args];
      const child = spawn(command, rest, {stdio: ['ignore', 'pipe', 'inherit']});
      const ended = new Promise<number | string>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
      });
      return {process: child, ended, lines: createInterface({input: child.stdout})[Symbol.asyncIterator]()};
    },
    remove: () => rmSync(folder, {recursive: true, force: true}),
  };
}
