import {lstatSync, readdirSync, type Dirent} from 'node:fs';
import {join} from 'node:path';
import {failure, type Failure} from '../core/failure.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {OutputPort} from '../core/stage.ts';
import {compareUtf8} from '../core/tree.ts';

export interface OutputCheck {
  /** Absolute folder that the outputs' names are relative to. */
  readonly root: string;
  readonly ports: Readonly<Record<string, OutputPort>>;
  /** Relative paths of files and folders that are neither outputs nor forbidden; nothing below them is looked at. */
  readonly allowed: (path: string) => boolean;
  /** How to declare an output, for the hint. */
  readonly declareHint: string;
  /** The job is a slice: it may leave optional outputs unwritten. */
  readonly sliced: boolean;
}

/**
 * Looks at what a job left behind: every declared output is there with the right kind, holds nothing but files and
 * folders, and nothing else was written.
 *
 * @returns absolute path of each output, without the optional ones that a slice left unwritten; or `output-missing`, `output-undeclared`, `output-unreadable`.
 */
export function checkOutputs(check: OutputCheck): Result<Readonly<Record<string, string>>, Failure> {
  const found = walk(check);
  const paths: Record<string, string> = {};
  for (const [port, output] of Object.entries(check.ports)) {
    const path = join(check.root, output.name);
    const actual = kindOf(path);
    if (actual === 'nothing' && output.optional && check.sliced) continue;
    if (actual !== output.kind) return err(missing(port, output, actual, found.undeclared));
    paths[port] = path;
  }
  if (found.special !== undefined) return err(unreadable(found.special));
  if (found.undeclared.length > 0) return err(undeclared(found.undeclared, check.declareHint));
  return ok(paths);
}

type Kind = 'file' | 'tree' | 'symbolic link' | 'socket, pipe or device' | 'nothing';

const shown = 10;

function walk({root, ports, allowed}: OutputCheck): {undeclared: readonly string[]; special: string | undefined} {
  const declared = new Map(Object.values(ports).map(({name, kind}) => [name, kind]));
  const undeclared: string[] = [];
  let special: string | undefined;
  const folders: {path: string; inside: boolean}[] = [{path: '', inside: false}];
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    for (const entry of list(join(root, folder.path))) {
      const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
      const isOutput = folder.inside || declared.has(path);
      if (!isOutput && allowed(path)) continue;
      if (entry.isDirectory()) folders.push({path, inside: folder.inside || declared.get(path) === 'tree'});
      else if (!isOutput) undeclared.push(path);
      else if (!entry.isFile() || entry.name.includes('\ufffd')) special ??= path;
    }
  }
  return {undeclared: undeclared.sort(compareUtf8), special};
}

function list(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, {withFileTypes: true});
  } catch {
    // Removed by the job: the declared outputs are reported as missing.
    return [];
  }
}

function kindOf(path: string): Kind {
  const stat = lstatSync(path, {throwIfNoEntry: false});
  if (!stat) return 'nothing';
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'tree';
  return stat.isSymbolicLink() ? 'symbolic link' : 'socket, pipe or device';
}

function missing(port: string, {kind, name, optional}: OutputPort, actual: Kind, others: readonly string[]): Failure {
  if (actual === 'symbolic link' || actual === 'socket, pipe or device') return unreadable(name);
  const text = {file: 'a file', tree: 'a folder'};
  if (actual !== 'nothing') {
    return failure(
      'output-missing',
      `output "${port}": ${name} is ${text[actual]}, but it is declared as ${text[kind]}`,
      {
        hint: 'write what is declared, or declare what is written',
      },
    );
  }
  const instead = others.length > 0 ? `; written instead: ${sample(others)}` : '';
  const odd = optional ? '; an optional output may be left unwritten only under `each`' : '';
  return failure('output-missing', `output "${port}" was not made: ${name} does not exist${instead}${odd}`, {
    hint: 'write the output under its declared name, or change the declaration',
  });
}

function unreadable(path: string): Failure {
  return failure('output-unreadable', `an output holds something that is not a plain file or folder: ${path}`, {
    hint: 'write copies instead of symbolic links, keep sockets and pipes elsewhere, and give files names in UTF-8',
  });
}

function undeclared(paths: readonly string[], hint: string): Failure {
  const count = paths.length === 1 ? 'a file was' : `${paths.length} files were`;
  return failure('output-undeclared', `${count} written that no output declares: ${sample(paths)}`, {hint});
}

function sample(paths: readonly string[]): string {
  const more = paths.length - shown;
  return paths.slice(0, shown).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
