import {existsSync, readFileSync, statSync} from 'node:fs';
import {isBuiltin} from 'node:module';
import {dirname, extname, join, sep} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import type {BuildFailure, Loader, Message, OnResolveArgs, OnResolveResult, PluginBuild} from 'esbuild';
import {err, ok, type Result} from '../core/result.ts';
import {codeFrame} from './code-frame.ts';
import {fileStamp, type FileStamp} from './file-stamp.ts';
import type {StageFault} from './stage-fault.ts';
import type {StageFile} from './stage-catalog.ts';

/** A file of a stage's import closure, as it was read for the bundle. */
export interface BundledFile {
  /** Absolute. */
  readonly path: string;
  readonly stamp: FileStamp;
  readonly content: Buffer;
}

export interface StageBundle {
  /** A self-contained ES module, except for npm packages, which it imports by their place on this machine. */
  readonly text: string;
  /** Without mixdown's own author API and what that imports. */
  readonly files: readonly BundledFile[];
  /** npm packages that the files import, with the folders they were imported from. */
  readonly packages: ReadonlyMap<string, ReadonlySet<string>>;
}

const inner = Symbol('resolution by esbuild itself');
const loaders: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.json': 'json',
  '.txt': 'text',
};

/** How esbuild reads a file; undefined for a kind that a stage cannot import. */
export function loaderOf(path: string): Loader | undefined {
  return loaders[extname(path)];
}

/** Bundles a stage with everything it imports by path. `outfile` is only what source maps are relative to. */
export async function bundleStage(
  stage: StageFile,
  outfile: string,
): Promise<Result<StageBundle, readonly StageFault[]>> {
  const {build} = await import('esbuild');
  const files = new Map<string, BundledFile>();
  const packages = new Map<string, Set<string>>();
  const api = authorApi();
  const own = new Set([api]);
  const setup = (plugin: PluginBuild) => {
    plugin.onResolve({filter: /.*/}, async (args) => {
      const found = await resolveImport(args, plugin, api, packages);
      if (found || !own.has(args.importer) || args.pluginData === inner) return found;
      const {path, kind, importer, resolveDir} = args;
      const resolved = await plugin.resolve(path, {kind, importer, resolveDir, pluginData: inner});
      own.add(resolved.path);
      return resolved;
    });
    plugin.onLoad({filter: /.*/}, ({path}) => {
      const loader = loaderOf(path);
      if (loader === undefined) return undefined;
      // Stamp before bytes: an edit in between is noticed next time, because the stamp is then too old.
      const stamp = fileStamp(path);
      const content = readFileSync(path);
      if (!own.has(path) && stamp) files.set(path, {path, stamp, content});
      return {contents: content, loader};
    });
  };
  try {
    const {outputFiles} = await build({
      entryPoints: [stage.file],
      absWorkingDir: stage.base,
      outfile,
      write: false,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: 'inline',
      logLevel: 'silent',
      // A tsconfig.json or package.json field of the project must not change what a stage does.
      tsconfigRaw: '{}',
      conditions: [],
      mainFields: ['main'],
      plugins: [{name: 'mixdown', setup}],
    });
    return ok({text: outputFiles[0]?.text ?? '', files: [...files.values()], packages});
  } catch (error) {
    const {errors} = error as Partial<BuildFailure>;
    if (!errors) throw error;
    return err(errors.map((message) => toFault(message, stage)));
  }
}

/** The package that an import specifier names: `@scope/name` or `name`. */
function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

/** This installation's author API: the built file, or the source when mixdown itself runs from source. */
export function authorApi(): string {
  const built = fileURLToPath(new URL('../stage-api.js', import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL('../stage-api.ts', import.meta.url));
}

async function resolveImport(
  args: OnResolveArgs,
  plugin: PluginBuild,
  api: string,
  packages: Map<string, Set<string>>,
): Promise<OnResolveResult | undefined> {
  const {path, kind, importer, resolveDir} = args;
  if (args.pluginData === inner || kind === 'entry-point' || /^(\.{0,2}\/|\.\.?$|#|[a-z]+:\/\/|data:)/.test(path))
    return undefined;
  if (path === 'mixdown/stage') return {path: api};
  if (packageOf(path) === 'mixdown') {
    return {errors: [{text: `a stage cannot import \`${path}\`; of mixdown it may import only \`mixdown/stage\``}]};
  }
  if (isBuiltin(path)) return {path, external: true};
  const found = await plugin.resolve(path, {kind, importer, resolveDir, pluginData: inner});
  const resolved = found.errors.length === 0 ? found.path : undefined;
  // A package linked from elsewhere in the project is code like the stage's own.
  if (resolved !== undefined && !resolved.split(sep).includes('node_modules')) return {path: resolved};
  const name = packageOf(path);
  packages.set(name, (packages.get(name) ?? new Set()).add(resolveDir));
  return {path: resolved === undefined ? path : pathToFileURL(resolved).href, external: true};
}

function toFault({text, location, notes}: Message, stage: StageFile): StageFault {
  const message = `stage \`${stage.name}\` does not compile: ${text}`;
  const note = notes[0]?.text;
  // Some notes point at a line of their own, which is not shown.
  const hint = note === undefined ? {} : {hint: note.replace(/ here:$|:$/, '')};
  if (!location) return {code: 'stage-compile-error', message, ...hint};
  const {line, column, length} = location;
  const file = `${stage.prefix}${location.file.split(sep).join('/')}`;
  // esbuild counts bytes of UTF-8 from 0.
  const start = Buffer.from(location.lineText).subarray(0, column).toString().length + 1;
  const range = {file, line, column: start, endLine: line, endColumn: start + Math.max(1, length)};
  const path = join(stage.base, location.file);
  const source = statSync(path, {throwIfNoEntry: false})?.isFile() ? readFileSync(path, 'utf8') : undefined;
  return {
    code: 'stage-compile-error',
    message,
    ...hint,
    elsewhere: source === undefined ? {range} : {range, frame: codeFrame(source, range)},
  };
}

/** Folders from the given one up to the root, where a package may be installed. */
export function packagePlaces(name: string, from: string): readonly string[] {
  const places: string[] = [];
  for (let folder = from; ; folder = dirname(folder)) {
    places.push(join(folder, 'node_modules', name, 'package.json'));
    if (dirname(folder) === folder) return places;
  }
}
