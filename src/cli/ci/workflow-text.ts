/** What a workflow is fitted to. Paths are relative to the root of the repository, with forward slashes; empty for itself. */
export interface WorkflowFacts {
  readonly branch: string;
  /** Folder of pipeline.yaml. */
  readonly project: string;
  /** Folder of the results. */
  readonly cache: string;
  readonly node: NodeChoice;
  readonly packages: PackageManager;
  /** The project has a mixdown.lock. */
  readonly locked: boolean;
  /** The repository keeps files with Git LFS. */
  readonly largeFiles: boolean;
}

export type NodeChoice = {readonly file: string} | {readonly version: string};

/** How packages are installed, and how a program of theirs is called. */
export interface PackageManager {
  readonly name: 'npm' | 'pnpm' | 'yarn' | 'bun' | 'none';
  /** The lock file; absent when there is none. */
  readonly lock?: string;
  readonly install: string;
  /** Folder that it installs in. */
  readonly folder: string;
  /** Put before `mixdown`: `npx`. */
  readonly call: string;
  /** Version of pnpm, when package.json does not say it. */
  readonly version?: string;
}

/** The text of `.github/workflows/mixdown.yml`. */
export function workflowText(facts: WorkflowFacts): string {
  return `${head(facts)}jobs:\n${resultsJob(facts)}\n${commentJob}`;
}

function head({branch}: WorkflowFacts): string {
  return `# Written by \`mixdown ci init\`; yours to change. \`mixdown ci init --force\` writes it anew.
name: mixdown
on:
  push:
    branches: [${quoted(branch)}]
  pull_request:
  workflow_dispatch:
# A new push to a pull request ends the run for the old one; runs of a branch wait for each other.
concurrency:
  group: \${{ github.workflow }}-\${{ github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}
permissions:
  contents: read
`;
}

function resultsJob(facts: WorkflowFacts): string {
  const {project, cache, packages, locked, largeFiles} = facts;
  const inProject = (path: string): string => (project === '' ? path : `${project}/${path}`);
  const mixdown = packages.call === '' ? 'mixdown' : `${packages.call} mixdown`;
  const frozen = locked ? ' --frozen' : '';
  // A restored cache is never written over: each run saves its own, and the newest is found by the start of its name.
  const key = 'mixdown-${{ runner.os }}-${{ runner.arch }}-';
  const steps = [
    `      - uses: actions/checkout@v4
        with:
          persist-credentials: false${largeFiles ? '\n          lfs: true' : ''}`,
    ...toolSteps(facts),
    step('Install', [...folderOf(packages.folder, project), `run: ${packages.install}`]),
    `      - name: Restore results
        uses: actions/cache/restore@v4
        with:
          path: ${quoted(cache)}
          key: ${key}\${{ github.run_id }}-\${{ github.run_attempt }}
          restore-keys: ${key}`,
    step('Run', [
      'id: run',
      'run: |',
      '  status=0',
      `  ${mixdown} run${frozen} --junit junit.xml || status=$?`,
      '  cp "$GITHUB_STEP_SUMMARY" summary.md',
      '  echo "told=true" >> "$GITHUB_OUTPUT"',
      '  exit "$status"',
    ]),
    ...(locked
      ? [step('Check', ["if: ${{ !cancelled() && steps.run.outcome != 'skipped' }}", `run: ${mixdown} check`])]
      : []),
    step('Report', [
      "if: ${{ !cancelled() && steps.run.outputs.told == 'true' }}",
      `run: ${mixdown} report -o report.html`,
    ]),
    step('Keep only the results of this state', [
      "if: ${{ steps.run.outcome == 'success' }}",
      `run: ${mixdown} gc --yes`,
    ]),
    `      - name: Save results
        if: \${{ always() && steps.run.outcome != 'skipped' }}
        uses: actions/cache/save@v4
        with:
          path: ${quoted(cache)}
          key: ${key}\${{ github.run_id }}-\${{ github.run_attempt }}`,
    `      - name: Upload the report
        if: \${{ always() && steps.run.outcome != 'skipped' }}
        uses: actions/upload-artifact@v4
        with:
          name: mixdown
          path: |
            ${inProject('report.html')}
            ${inProject('junit.xml')}
            ${inProject('summary.md')}
          if-no-files-found: ignore`,
  ];
  const folder = project === '' ? '' : `\n        working-directory: ${quoted(project)}`;
  return `  results:
    runs-on: ubuntu-latest
    timeout-minutes: 120
    outputs:
      told: \${{ steps.run.outputs.told }}
    defaults:
      run:
        shell: bash${folder}
    steps:
${steps.join('\n')}
`;
}

/** Node and the package manager. */
function toolSteps({node, packages}: WorkflowFacts): readonly string[] {
  const version = 'file' in node ? `node-version-file: ${quoted(node.file)}` : `node-version: ${quoted(node.version)}`;
  const cached = packages.lock !== undefined && packages.name !== 'bun' && packages.name !== 'none';
  const cache = cached
    ? `\n          cache: ${packages.name}\n          cache-dependency-path: ${quoted(packages.lock)}`
    : '';
  const setup = `      - uses: actions/setup-node@v4\n        with:\n          ${version}${cache}`;
  switch (packages.name) {
    case 'pnpm': {
      const pnpm = packages.version === undefined ? '' : `\n        with:\n          version: ${packages.version}`;
      return [`      - uses: pnpm/action-setup@v4${pnpm}`, setup];
    }
    case 'yarn':
      return [step('Enable the Yarn of this project', ['working-directory: .', 'run: corepack enable']), setup];
    case 'bun':
      return ['      - uses: oven-sh/setup-bun@v2', setup];
    case 'npm':
    case 'none':
      return [setup];
  }
}

/** Has the right to comment, and runs nothing of the repository. */
const commentJob = `  comment:
    needs: results
    # A pull request from a fork has no right to comment.
    if: >-
      \${{ !cancelled() && needs.results.outputs.told == 'true' && github.event_name == 'pull_request' &&
      github.event.pull_request.head.repo.full_name == github.repository }}
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      pull-requests: write
    steps:
      - uses: actions/download-artifact@v4
        with:
          name: mixdown
      - name: Comment on the pull request
        shell: bash
        env:
          GH_TOKEN: \${{ github.token }}
          NUMBER: \${{ github.event.pull_request.number }}
        run: |
          summary=$(find . -name summary.md | sed -n 1p)
          {
            echo '<!-- mixdown -->'
            # GitHub takes 65536 characters.
            LC_ALL=C awk '{ size += length($0) + 1 } size > 60000 { exit } { print }' "$summary"
            echo
            echo "[Report]($GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID)"
          } > comment.md
          comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
          own='.[] | select(.user.login == "github-actions[bot]" and (.body | startswith("<!-- mixdown -->"))) | .id'
          id=$(gh api --paginate "$comments" --jq "$own" | sed -n 1p)
          if [ -n "$id" ]; then
            gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body=@comment.md
          else
            gh api --silent --method POST "$comments" -F body=@comment.md
          fi
`;

function step(name: string, lines: readonly string[]): string {
  return [`      - name: ${name}`, ...lines.map((line) => `        ${line}`)].join('\n');
}

function folderOf(folder: string, project: string): readonly string[] {
  return folder === project ? [] : [`working-directory: ${quoted(folder === '' ? '.' : folder)}`];
}

/** A text as YAML that is read as this text whatever is in it. */
function quoted(text: string): string {
  const plain = /^[A-Za-z./][\w./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off)$/i.test(text);
  return plain ? text : `'${text.replaceAll("'", "''")}'`;
}
