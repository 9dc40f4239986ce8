import {spawn} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {parse} from 'yaml';
import {ended, type CliResult} from './workspace.ts';

export interface WorkflowStep {
  readonly name?: string;
  readonly id?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
  readonly if?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly shell?: string;
  readonly 'working-directory'?: string;
}

export interface WorkflowJob {
  readonly 'runs-on': string;
  readonly 'timeout-minutes': number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly needs?: string;
  readonly if?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly defaults?: {readonly run: {readonly shell: string; readonly 'working-directory'?: string}};
  readonly steps: readonly WorkflowStep[];
}

export interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, unknown>>;
  readonly concurrency: {readonly group: string; readonly 'cancel-in-progress': string};
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

export function readWorkflow(file: string): Workflow {
  return parse(readFileSync(file, 'utf8'), {strict: true, uniqueKeys: true}) as Workflow;
}

/** What GitHub would refuse or warn of, as far as its documentation says it of what we use. */
export function workflowProblems(workflow: Workflow): readonly string[] {
  const problems: string[] = [];
  const only = (what: string, value: object, known: readonly string[]): void => {
    for (const key of Object.keys(value)) if (!known.includes(key)) problems.push(`${what}: ${key}`);
  };
  only('workflow', workflow, ['name', 'on', 'concurrency', 'permissions', 'jobs']);
  only('on', workflow.on, ['push', 'pull_request', 'workflow_dispatch']);
  for (const [id, job] of Object.entries(workflow.jobs)) {
    only(id, job, ['runs-on', 'timeout-minutes', 'permissions', 'needs', 'if', 'outputs', 'defaults', 'steps']);
    if (!/^[a-z]+$/.test(id) || job['runs-on'] !== 'ubuntu-latest' || !(job['timeout-minutes'] > 0)) problems.push(id);
    if (job.needs !== undefined && !(job.needs in workflow.jobs)) problems.push(`${id} needs ${job.needs}`);
    for (const step of job.steps) {
      only(`${id} step`, step, ['name', 'id', 'uses', 'with', 'run', 'if', 'env', 'shell', 'working-directory']);
      if ((step.uses === undefined) === (step.run === undefined)) problems.push(`${id}: uses or run`);
      if (step.uses !== undefined && !majors.has(step.uses)) problems.push(step.uses);
      if (step.run !== undefined && (step.shell ?? job.defaults?.run.shell) !== 'bash')
        problems.push(`${step.name}: shell`);
      // What somebody can choose, such as the name of a branch, must not become code.
      if (step.run?.includes('${{')) problems.push(`${step.name}: an expression in a script`);
    }
  }
  return problems;
}

/** Actions with major versions that are known to exist. */
const majors = new Set([
  'actions/checkout@v4',
  'actions/setup-node@v4',
  'actions/cache/restore@v4',
  'actions/cache/save@v4',
  'actions/upload-artifact@v4',
  'actions/download-artifact@v4',
  'pnpm/action-setup@v4',
  'oven-sh/setup-bun@v2',
]);

/** What a job's steps see, and what became of those that ran. */
export interface JobRun {
  /** The checkout. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Values of expressions, such as `github.event_name`. */
  readonly values: Readonly<Record<string, string>>;
}

export interface JobEnd {
  /** Names of the steps that ran, actions too, in order. */
  readonly ran: readonly string[];
  readonly results: ReadonlyMap<string, CliResult>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly failed: boolean;
}

/** Runs the scripts of a job as GitHub does: bash -e, each step with its own files for outputs and for its page. */
export async function runJob(job: WorkflowJob, {folder, env, values}: JobRun): Promise<JobEnd> {
  const known: Record<string, string> = {...values};
  const ran: string[] = [];
  const results = new Map<string, CliResult>();
  let failed = false;
  for (const [index, step] of job.steps.entries()) {
    const name = step.name ?? step.uses ?? '';
    const {id} = step;
    const wanted = step.if === undefined ? !failed : isTrue(step.if, known);
    if (id !== undefined) known[`steps.${id}.outcome`] = wanted ? 'success' : 'skipped';
    if (!wanted) continue;
    ran.push(name);
    if (step.run === undefined) continue;
    const files = join(folder, '..', 'files', String(index));
    const [output, summary] = [join(files, 'output'), join(files, 'summary.md')];
    for (const file of [output, summary]) write(file);
    const stepEnv = Object.entries(step.env ?? {}).map(([key, value]) => [key, expand(value, known)] as const);
    const result = await ended(
      spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
        cwd: join(folder, step['working-directory'] ?? job.defaults?.run['working-directory'] ?? '.'),
        env: {
          ...env,
          ...Object.fromEntries(stepEnv),
          GITHUB_ACTIONS: 'true',
          GITHUB_WORKSPACE: folder,
          GITHUB_OUTPUT: output,
          GITHUB_STEP_SUMMARY: summary,
        },
      }),
    );
    results.set(name, result);
    if (result.code !== 0) failed = true;
    if (id === undefined) continue;
    if (result.code !== 0) known[`steps.${id}.outcome`] = 'failure';
    for (const line of readFileSync(output, 'utf8').split('\n')) {
      const [key = '', value] = line.split('=');
      if (value !== undefined) known[`steps.${id}.outputs.${key}`] = value;
    }
  }
  const outputs = Object.entries(job.outputs ?? {}).map(([key, value]) => [key, expand(value, known)] as const);
  return {ran, results, outputs: Object.fromEntries(outputs), failed};
}

/** Whether a condition holds: terms with `&&` between, of the kinds that we write. Nothing is cancelled here. */
export function isTrue(condition: string, values: Readonly<Record<string, string>>): boolean {
  const text = /^\$\{\{(.*)\}\}$/s.exec(condition.trim())?.[1] ?? condition;
  return text.split('&&').every((term) => {
    if (['always()', '!cancelled()'].includes(term.trim())) return true;
    const [, left = '', sign, right = ''] = /^\s*([\w.]+) (==|!=) ('[^']*'|[\w.]+)\s*$/.exec(term) ?? [];
    if (sign === undefined) throw new Error(`no condition that is known here: ${term}`);
    const value = right.startsWith("'") ? right.slice(1, -1) : (values[right] ?? '');
    return ((values[left] ?? '') === value) === (sign === '==');
  });
}

function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{ ([\w.]+) \}\}/g, (_, name: string) => values[name] ?? '');
}

function write(file: string): void {
  mkdirSync(dirname(file), {recursive: true});
  writeFileSync(file, '');
}
