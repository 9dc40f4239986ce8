import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {basename, dirname, extname, isAbsolute, join, relative, resolve, sep} from 'node:path';
import {codeFrame} from '../../config/code-frame.ts';
import {failure, type Failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {pathFilter} from '../../store/path-filter.ts';
import {walkFolder} from '../../store/walk.ts';
import type {Context} from '../context.ts';
import type {Loaded} from '../load.ts';
import {displayPath} from '../project.ts';

/** A document as it is on the disk. */
export interface DocumentFile {
  /** Absolute, with links resolved. */
  readonly file: string;
  /** For messages. */
  readonly shown: string;
  readonly text: string;
}

/**
 * The documents that are named, or those of pipeline.yaml. Files outside the project folder are refused; a pattern that
 * matches nothing is a warning, a name of a file that is missing a failure.
 *
 * @param names - relative to the working directory
 */
export async function readDocuments(
  {io, globals, warn}: Pick<Context, 'io' | 'globals' | 'warn'>,
  loaded: Pick<Loaded, 'project' | 'pipeline'>,
  names: readonly string[],
): Promise<Result<readonly DocumentFile[]>> {
  const {root} = loaded.project;
  const start = resolve(io.cwd, globals.directory ?? '.');
  const found = names.length > 0 ? ok(names.map((name) => resolve(start, name))) : await listDocuments(loaded, warn);
  if (!found.ok) return found;
  const failures: Failure[] = [];
  const documents = new Map<string, DocumentFile>();
  for (const path of found.value) {
    const read = readDocument(path, root, displayPath(path, io.cwd));
    if (read.ok) documents.set(read.value.file, read.value);
    else failures.push(read.error);
  }
  return failures.length > 0 ? err(failures) : ok([...documents.values()]);
}

async function listDocuments(
  {project, pipeline}: Pick<Loaded, 'project' | 'pipeline'>,
  warn: Context['warn'],
): Promise<Result<readonly string[]>> {
  const {root, file, cacheDir, runsDir} = project;
  const paths: string[] = [];
  const failures: Failure[] = [];
  const pipelineText = readFileSync(file, 'utf8');
  const ours = new Set([cacheDir, runsDir].map((folder) => relative(root, folder).split(sep).join('/')));
  for (const {pattern, range} of pipeline.documents ?? []) {
    const isName = !/[*?[\]{}()!+@|]/.test(pattern);
    if (isName && existsSync(join(root, pattern))) {
      paths.push(join(root, pattern));
      continue;
    }
    const matched: string[] = [];
    if (!isName) {
      const {enter, accept} = await pathFilter([pattern], ['**/node_modules/**']);
      const onFile = ({file}: {readonly file: string}): void => void matched.push(file);
      const options = {enter: (path: string) => !ours.has(path) && enter(path), accept, onFile};
      failures.push(...walkFolder(root, {...options, code: 'document-missing'}));
      paths.push(...matched);
    }
    if (matched.length > 0) continue;
    const message = isName ? `there is no document \`${pattern}\`` : `\`${pattern}\` matches no document`;
    const problem = {code: 'document-missing', message} as const;
    const diagnostics = range ? [{...problem, range, frame: codeFrame(pipelineText, range)}] : [];
    if (isName) failures.push({...problem, diagnostics});
    else warn({...problem, diagnostics});
  }
  return failures.length > 0 ? err(failures) : ok(paths);
}

function readDocument(path: string, root: string, shown: string): Result<DocumentFile, Failure> {
  let file: string;
  let bytes: Buffer;
  try {
    file = realpathSync(path);
    if (!isBelow(file, realpathSync(root))) {
      const hint = 'documents lie below the folder of pipeline.yaml';
      return err(failure('document-invalid', `${shown} is outside the project folder`, {hint}));
    }
    bytes = readFileSync(file);
  } catch (error) {
    return err(failure('document-missing', `${shown} cannot be read: ${(error as Error).message}`));
  }
  try {
    // The byte order mark is a part of the text, which must come out as it went in.
    return ok({file, shown, text: new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes)});
  } catch {
    return err(failure('document-invalid', `${shown} is not UTF-8 text`, {hint: 'save it as UTF-8'}));
  }
}

/**
 * Where a figure goes that a document names: a file below the project folder, with the extension of the output.
 *
 * @param path - as written, relative to the document's folder
 * @param name - file name of the output
 */
export function figurePath(document: DocumentFile, path: string, name: string, root: string): Result<string, Failure> {
  const wrong = (message: string, hint: string): Result<string, Failure> =>
    err(failure('document-invalid', message, {hint}));
  const named = resolve(dirname(document.file), path);
  const target = join(existingParent(named), basename(named));
  if (isAbsolute(path) || !isBelow(target, realpathSync(root))) {
    return wrong(`\`${path}\` is outside the project folder`, 'name a path relative to the document, such as plot.svg');
  }
  if (extname(path).toLowerCase() !== extname(name).toLowerCase()) {
    return wrong(`\`${path}\` is to hold ${name}, which is another kind of file`, `let it end with ${extname(name)}`);
  }
  if (target === document.file || (existsSync(target) && !statSync(target).isFile())) {
    return wrong(`\`${path}\` is no file to write over`, 'name another place');
  }
  return ok(target);
}

/**
 * Name of a source that a file belongs to: writing the file would make what is built from it stale, and the next rendering
 * something else.
 *
 * @param file - absolute, with links resolved
 */
export async function sourceHolding(
  {project, pipeline}: Pick<Loaded, 'project' | 'pipeline'>,
  file: string,
): Promise<string | undefined> {
  for (const {name, path, include, exclude} of Object.values(pipeline.sources)) {
    const at = resolve(project.root, path);
    const base = existsSync(at) ? realpathSync(at) : at;
    if (file === base) return name;
    if (!isBelow(file, base)) continue;
    const {accept} = await pathFilter(include, exclude);
    if (accept(relative(base, file).split(sep).join('/'))) return name;
  }
  return undefined;
}

/** The nearest folder above that is there, with links resolved, and what is missing below it. */
function existingParent(target: string): string {
  const parent = dirname(target);
  return existsSync(parent) ? realpathSync(parent) : join(existingParent(parent), basename(parent));
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * Puts a file in place at once: a reader, or a process killed on the way, finds the old content or the new. Keeps the file's
 * mode; a read-only file, and one that is not as it was read, is left alone.
 *
 * @param before - what the file held when it was read; undefined for one that may hold anything or be missing
 */
export function replaceFile(
  file: string,
  content: Uint8Array | string,
  shown: string,
  before?: string,
): Result<void, Failure> {
  const refuse = (why: string, hint?: string): Result<void, Failure> =>
    err(failure('document-unwritable', `${shown} cannot be written: ${why}`, hint === undefined ? {} : {hint}));
  const folder = dirname(file);
  const temporary = join(folder, `.${basename(file)}.mixdown-${process.pid}`);
  try {
    const stat = statSync(file, {throwIfNoEntry: false});
    if (stat && (stat.mode & 0o222) === 0) return refuse('it is read-only', `chmod u+w ${shown}`);
    mkdirSync(folder, {recursive: true});
    removeLeftovers(folder, `.${basename(file)}.mixdown-`);
    const handle = openSync(temporary, 'wx', stat?.mode ?? 0o644);
    try {
      writeFileSync(handle, content);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    if (before !== undefined && readFileSync(file, 'utf8') !== before) {
      rmSync(temporary, {force: true});
      return refuse('somebody changed it meanwhile', 'render again');
    }
    renameSync(temporary, file);
    return ok(undefined);
  } catch (error) {
    rmSync(temporary, {force: true});
    return refuse((error as Error).message);
  }
}

/** What processes that were killed left behind. */
function removeLeftovers(folder: string, prefix: string): void {
  for (const name of readdirSync(folder)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (Number.isInteger(pid) && (pid === process.pid || !isAlive(pid))) rmSync(join(folder, name), {force: true});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
