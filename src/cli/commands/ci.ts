import {existsSync, mkdirSync, realpathSync, writeFileSync} from 'node:fs';
import {dirname, join, relative, resolve, sep} from 'node:path';
import {failure} from '../../core/failure.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {git} from '../git/git.ts';
import {loadProject} from '../load.ts';
import {displayPath, findProject, type Project} from '../project.ts';
import {shellWord} from '../same-options.ts';
import {repositoryFacts, type RepositoryFacts} from '../ci/workflow-facts.ts';
import {workflowText} from '../ci/workflow-text.ts';

const workflowPath = '.github/workflows/mixdown.yml';

/** Writes a GitHub Actions workflow that is fitted to the project, and says what to commit. */
export async function ciCommand(context: Context, _what: 'init', {force}: {readonly force?: true}): Promise<ExitCode> {
  const {io, globals} = context;
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const facts = await repositoryFacts(project.value);
  const file = join(facts.top, workflowPath);
  const shown = displayPath(file, io.cwd);
  if (existsSync(file) && !force) {
    const hint = 'nothing was written; write over it with --force';
    return context.fail([failure('usage', `${shown} is here already`, {hint})]);
  }
  try {
    mkdirSync(dirname(file), {recursive: true});
    writeFileSync(file, workflowText(facts), {flag: force ? 'w' : 'wx'});
  } catch (error) {
    return context.fail([failure('usage', `${shown} could not be written: ${(error as Error).message}`)]);
  }
  const sources = await sourcePaths(context, facts);
  const commit = [...(await toCommit(project.value, facts)), ...sources.commit];
  const notes = [...notesOn(facts), ...sources.notes];
  if (globals.json) {
    context.printJson({file, packages: facts.packages.name, frozen: facts.locked, commit, notes});
    return exitCodes.done;
  }
  const add = commit.length === 0 ? [] : [`next: git add ${commit.map(shellWord).join(' ')}, and commit`];
  const from = relative(io.cwd, facts.top) === '' ? [] : [`(in ${facts.top})`];
  context.print(
    [
      `wrote ${shown}`,
      ...notes.map((note) => `${context.paint.warn('note:')} ${note}`),
      [...add, ...from].join(' '),
    ].join('\n'),
  );
  return exitCodes.done;
}

/** What the workflow needs and git does not have as it is. From the top of the repository. */
async function toCommit(
  {root, file}: Project,
  {top, inGit, project, packages, node, locked}: RepositoryFacts,
): Promise<readonly string[]> {
  const inProject = (path: string): string => (project === '' ? path : `${project}/${path}`);
  const wanted = [
    workflowPath,
    inProject(relative(root, file).split(sep).join('/')),
    inProject('stages'),
    ...(locked ? [inProject('mixdown.lock')] : []),
    ...(packages.name === 'none' ? [] : [packages.folder === '' ? 'package.json' : `${packages.folder}/package.json`]),
    ...(packages.lock === undefined ? [] : [packages.lock]),
    ...('file' in node ? [node.file] : []),
  ].filter((path, index, all) => all.indexOf(path) === index && existsSync(join(top, path)));
  if (!inGit) return wanted;
  const changed = await Promise.all(
    wanted.map(async (path) => {
      const status = await git(top, ['--literal-pathspecs', 'status', '--porcelain', '--', path]);
      return status.ok && status.value.code === 0 && status.value.stdout.length === 0 ? [] : [path];
    }),
  );
  return changed.flat();
}

function notesOn({inGit, packages, hasMixdown, locked}: RepositoryFacts): readonly string[] {
  return [
    ...(inGit ? [] : ['this is no git repository yet; GitHub looks for the file at the top of one']),
    ...(packages.name === 'none' || hasMixdown ? [] : ['add mixdown to devDependencies, so that CI installs it']),
    ...(packages.name === 'npm' && packages.lock === undefined
      ? ['there is no package-lock.json: without one, CI may install other versions']
      : []),
    ...(locked
      ? []
      : ['there is no mixdown.lock, so results are not checked; after `mixdown lock`, write this again with --force']),
  ];
}

/** Sources that are in the repository's folders without being in git, and those that a clone does not bring. */
async function sourcePaths(
  context: Context,
  {top, inGit}: RepositoryFacts,
): Promise<{readonly commit: readonly string[]; readonly notes: readonly string[]}> {
  const loaded = inGit ? await loadProject(context) : undefined;
  if (loaded === undefined) return {commit: [], notes: []};
  if (!loaded.ok) return {commit: [], notes: ['pipeline.yaml has problems; see `mixdown validate`']};
  const {pipeline, project} = loaded.value;
  const commit: string[] = [];
  const lacking: string[] = [];
  for (const {name, path} of Object.values(pipeline.sources)) {
    const place = relative(top, resolve(realpathSync(project.root), path))
      .split(sep)
      .join('/');
    const lists = await Promise.all(
      ['--cached', '--others'].map((which) => {
        return git(top, [
          '--literal-pathspecs',
          'ls-files',
          which,
          '--exclude-standard',
          '-z',
          '--',
          place === '' ? '.' : place,
        ]);
      }),
    );
    const [kept, untracked] = lists.map((list) => list.ok && list.value.stdout.length > 0);
    if (untracked) commit.push(place);
    else if (!kept) lacking.push(`${name} (${path})`);
  }
  if (lacking.length === 0) return {commit, notes: []};
  return {commit, notes: [`git does not keep these sources; add a step that fetches them: ${lacking.join(', ')}`]};
}
