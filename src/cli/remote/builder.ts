import {hostname, userInfo} from 'node:os';
import type {Builder} from '../../core/origin.ts';
import type {Io} from '../io.ts';

export interface BuilderWish {
  readonly env: Io['env'];
  /** Folder of the project. */
  readonly root: string;
  /** The name that is configured. */
  readonly name?: string;
}

/** Says who makes results here, for those who use them. Asks git when it is first called, and only then. */
export function lazyBuilder(wish: BuilderWish): () => Promise<Builder> {
  let builder: Promise<Builder> | undefined;
  return () => (builder ??= builderOf(wish));
}

/** `ada@lab7`. */
export function userAtHost(): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    // A container may run as a user without an entry.
    user = String(process.getuid?.() ?? 'somebody');
  }
  return `${user}@${hostname()}`;
}

async function builderOf({env, root, name = userAtHost()}: BuilderWish): Promise<Builder> {
  const commit = await commitOf(root);
  const job = jobOf(env);
  return {name, ...(commit === undefined ? {} : {commit}), ...(job === undefined ? {} : {job})};
}

/** HEAD, with a `+` when tracked files of the project differ from it; undefined where there is no repository, or no git. */
async function commitOf(root: string): Promise<string | undefined> {
  const {git} = await import('../git/git.ts');
  const [head, status] = await Promise.all([
    git(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']),
    git(root, ['status', '--porcelain', '--untracked-files=no', '--', '.']),
  ]);
  if (!head.ok || head.value.code !== 0) return undefined;
  const changed = !status.ok || status.value.code !== 0 || status.value.stdout.byteLength > 0;
  return `${head.value.stdout.toString('utf8').trim()}${changed ? '+' : ''}`;
}

/** Address of the CI job: GitHub Actions and what copies it (Gitea, Forgejo), GitLab, Jenkins, Buildkite. */
function jobOf(env: Io['env']): string | undefined {
  const {GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run} = env;
  const github = server && repository && run ? `${server}/${repository}/actions/runs/${run}` : undefined;
  const buildkite = env['BUILDKITE_BUILD_URL'];
  const job = env['BUILDKITE_JOB_ID'];
  const candidates = [
    github,
    env['CI_JOB_URL'],
    buildkite && job ? `${buildkite}#${job}` : buildkite,
    env['JENKINS_URL'] === undefined ? undefined : env['BUILD_URL'],
  ];
  return candidates.map(addressText).find((text) => text !== undefined);
}

/** A web address without user and password; undefined for anything else. */
function addressText(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 500 || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  url.username = '';
  url.password = '';
  return url.href;
}
