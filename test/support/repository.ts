import {execFileSync} from 'node:child_process';

const author = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false'];

/** Runs git in a folder, away from this machine's settings, and returns what it printed. */
export function git(folder: string, ...args: readonly string[]): string {
  const env = {...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1'};
  return execFileSync('git', [...author, ...args], {cwd: folder, env, encoding: 'utf8', stdio: 'pipe'}).trim();
}

/** Makes a folder a repository with everything in it committed on `main`. */
export function makeRepository(folder: string): void {
  git(folder, 'init', '-q', '-b', 'main');
  commitAll(folder, 'first');
}

export function commitAll(folder: string, message: string): string {
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '--allow-empty', '-m', message);
  return git(folder, 'rev-parse', 'HEAD');
}
