import {spawn, type ChildProcess} from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {createHash} from 'node:crypto';
import {tmpdir} from 'node:os';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const cli = join(repository, 'dist/cli/main.js');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project in a temporary folder, driven through the built command line. */
export class Workspace {
  readonly root: string;

  /** @param template - folder whose content the project starts with */
  constructor(template?: string) {
    this.root = mkdtempSync(join(tmpdir(), 'mixdown-e2e-'));
    if (template !== undefined) cpSync(template, this.root, {recursive: true});
  }

  path(name: string): string {
    return join(this.root, name);
  }

  write(name: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.path(name)), {recursive: true});
    writeFileSync(this.path(name), content);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Replaces text that must be there. */
  edit(name: string, from: string, to: string): void {
    const text = this.read(name);
    if (!text.includes(from)) throw new Error(`${name} does not contain ${from}`);
    this.write(name, text.replace(from, to));
  }

  remove(name: string): void {
    rmSync(this.path(name), {recursive: true, force: true});
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(FORCE_COLOR|NODE_OPTIONS|VITEST.*)$/.test(name)),
    );
    return spawn(process.execPath, [cli, ...args], {
      cwd: this.root,
      env: {...inherited, NO_COLOR: '1', ...env},
      stdio: 'pipe',
    });
  }

  async run(...args: string[]): Promise<CliResult> {
    return ended(this.start(args));
  }

  /** Runs and parses `--json` output; throws with what was printed when it is not JSON. */
  async json<T>(...args: string[]): Promise<T> {
    const result = await this.run(...args, '--json');
    try {
      return JSON.parse(result.stdout) as T;
    } catch {
      throw new Error(`not JSON (exit ${result.code}):\n${result.stdout}\n${result.stderr}`);
    }
  }

  /** Path to SHA-256 of every file below a folder of the project. */
  hashes(folder: string): Record<string, string> {
    const found: Record<string, string> = {};
    const walk = (at: string): void => {
      for (const name of readdirSync(at).sort()) {
        const path = join(at, name);
        if (statSync(path).isDirectory()) walk(path);
        else found[relative(this.path(folder), path)] = createHash('sha256').update(readFileSync(path)).digest('hex');
      }
    };
    if (existsSync(this.path(folder))) walk(this.path(folder));
    return found;
  }

  dispose(): void {
    rmSync(this.root, {recursive: true, force: true});
  }
}

/** Everything a process printed, and how it ended. */
export async function ended(child: ChildProcess): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return {code, stdout, stderr};
}

export const toyProject = fileURLToPath(new URL('./toy', import.meta.url));
