import {dirname, join} from 'node:path';
import type {Job} from '../core/ports.ts';
import {commandEnvironment, commandLine, stageEnvironment, type Environment} from './environment.ts';
import type {CommandJob} from './protocol.ts';

export interface ReproduceOptions {
  readonly env: Environment;
  readonly nodePath: string;
  /** Path of the compiled reproduce-main. */
  readonly entry: string;
}

/** Folder beside the script in which the job runs again; what the failed job left stays as it is. */
export const rerunFolder = 'rerun';

/** Text of a shell script that runs the job again from its kept folder, without the engine, wherever it is called from. */
export function reproduceScript(job: Job, options: ReproduceOptions): string {
  const head = `#!/bin/sh
# Runs ${comment(job.slice === undefined ? job.node : `${job.node} on ${job.slice}`)} again, outside mixdown.
# It works in ${rerunFolder}/ beside this script; the files of the failed job stay untouched.
cd "$(dirname "$0")" || exit 1
`;
  return head + (job.work.type === 'stage' ? stageLines(job, options) : commandLines(job as CommandJob, options));
}

/** One word of a shell command line, quoted where it must be. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function stageLines(job: Job, {nodePath, entry}: ReproduceOptions): string {
  const variables = assignments(stageEnvironment(job.lease));
  return `node=${shellQuote(nodePath)}
[ -x "$node" ] || node=node
exec env ${variables.join(' ')} \\
  "$node" --enable-source-maps ${shellQuote(entry)} job.json
`;
}

function commandLines(job: CommandJob, {env}: ReproduceOptions): string {
  const {command} = job.work;
  const {TMPDIR: _, ...fixed} = commandEnvironment(env, job, command, '');
  const passed = command.passEnv
    .filter((name) => /^[A-Za-z_]\w*$/.test(name))
    .map((name) => `\${${name}+"${name}=$${name}"}`);
  const folders = Object.values(job.outputs).map(({kind, name}) => {
    const path = shellQuote(`./${name}`);
    return `mkdir -p ${kind === 'tree' ? path : `"$(dirname ${path})"`}\n`;
  });
  const copies = copyLines(Object.keys(job.inputs));
  const words = [...assignments(fixed), 'TMPDIR="$tmp"', ...passed, ...commandLine(command).map(shellQuote)];
  return `rm -rf ${rerunFolder}
mkdir -p ${rerunFolder}/work ${rerunFolder}/tmp || exit 1
${copies}cd ${rerunFolder}/work || exit 1
${folders.join('')}tmp=$(cd ../tmp && pwd)
exec env -i \\
  ${words.join(' \\\n  ')}
`;
}

/** Copies inputs to the paths that they have in the work folder. */
function copyLines(inputs: readonly string[]): string {
  const byFolder = new Map<string, string[]>();
  for (const input of inputs) {
    const folder = dirname(input);
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), shellQuote(`work/${input}`)]);
  }
  const lines = [...byFolder].map(([folder, paths]) => {
    const to = folder === '.' ? `${rerunFolder}/work/` : shellQuote(`${rerunFolder}/work/${folder}/`);
    const make = folder === '.' ? '' : `mkdir -p ${to} && `;
    return `${make}cp -R -p ${paths.join(' ')} ${to} || exit 1\n`;
  });
  return lines.join('');
}

function assignments(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${shellQuote(value)}`);
}

function comment(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/**
 * The job as it is kept: its own folder is where it was moved to. Its checkpoint is a new one: the script starts from the
 * beginning, and leaves the one that the next run goes on from alone.
 */
export function keptJob(job: Job, folder: string): Job {
  const rerun = join(folder, rerunFolder);
  return {...job, folder: rerun, ...(job.checkpoint === undefined ? {} : {checkpoint: join(rerun, 'checkpoint')})};
}
