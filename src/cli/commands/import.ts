import {readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {failure} from '../../core/failure.ts';
import {importDvc, type Imported} from '../../import/import-dvc.ts';
import {countText} from '../../report/count-text.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject} from '../load.ts';
import {displayPath, pipelineName} from '../project.ts';

export interface ImportOptions {
  readonly output?: string;
  readonly force?: boolean;
}

/** Writes pipeline.yaml from a dvc.yaml, checks it, and lists what is left to do. JSON: `{file, nodes, sources, notes}`. */
export async function importCommand(context: Context, path: string, options: ImportOptions): Promise<ExitCode> {
  const {io, globals} = context;
  const start = resolve(io.cwd, globals.directory ?? '.');
  const from = resolve(start, path);
  const folder = dirname(from);
  const to = options.output === undefined ? join(folder, pipelineName) : resolve(start, options.output);
  const shown = displayPath(to, io.cwd);
  const text = readText(from);
  if (text === undefined) {
    return context.fail([
      failure('usage', `${path} cannot be read`, {hint: 'name a dvc.yaml: mixdown import dvc.yaml'}),
    ]);
  }
  const there = statSync(to, {throwIfNoEntry: false});
  if (there && (options.force !== true || !there.isFile() || to === from)) {
    const hint = 'nothing was written; name another file with -o, or write over it with --force';
    return context.fail([failure('usage', `${shown} is here already`, {hint})]);
  }
  const prefix = relative(dirname(to), folder).replaceAll('\\', '/');
  const imported = await importDvc({
    text,
    files: {
      read: (file) => readText(join(folder, file)),
      kindOf(file) {
        const stat = statSync(join(folder, file), {throwIfNoEntry: false});
        return stat?.isDirectory() ? 'tree' : stat?.isFile() ? 'file' : undefined;
      },
    },
    sourcePath: (file) => (prefix === '' ? file : `${prefix}/${file}`),
  });
  if (!imported.ok) return context.fail(imported.error);
  try {
    write(to, imported.value.text, options.force === true);
  } catch (error) {
    return context.fail([failure('usage', `${shown} could not be written: ${(error as Error).message}`)]);
  }
  const checked = await loadProject({io, globals: {...globals, file: to, profile: [], set: []}});
  if (globals.json) context.printJson({file: to, ...withoutText(imported.value)});
  else report(context, path, shown, imported.value);
  return checked.ok ? exitCodes.done : context.fail(checked.error);
}

function report({print, paint}: Context, from: string, to: string, {nodes, sources, notes}: Imported): void {
  const lines = [`wrote ${to}: ${countText(nodes, 'node')}, ${countText(sources, 'source')}`];
  if (notes.length > 0) lines.push('', 'not the same as under DVC:');
  for (const {line, message, hint} of notes)
    lines.push(`${from}:${line}: ${message}`, `  ${paint.note('by hand:')} ${hint}`);
  if (notes.length > 0) lines.push('');
  lines.push(`a command sees its inputs and nothing else: add what it also reads`, `next: mixdown plan`);
  print(lines.join('\n'));
}

function withoutText({nodes, sources, notes}: Imported): Omit<Imported, 'text'> {
  return {nodes, sources, notes};
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Without `force` the file must not have come into being since it was looked for. */
function write(path: string, text: string, force: boolean): void {
  if (!force) {
    writeFileSync(path, text, {flag: 'wx'});
    return;
  }
  const temporary = `${path}.new`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}
