import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {sha256, type Sha256} from '../core/digest.ts';
import {failure} from '../core/failure.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {StageDeclaration} from '../core/stage.ts';
import {readCacheFile, readCacheJson, writeCacheFile, writeCacheJson} from './cache-file.ts';
import {codeDigest, codeManifest} from './code-digest.ts';
import {authorApi, bundleStage, type StageBundle} from './stage-bundle.ts';
import type {StageCatalog, StageFile} from './stage-catalog.ts';
import {readDeclaration, type DeclaredStage} from './stage-declaration.ts';
import type {StageFault} from './stage-fault.ts';
import {fileSystemTime, indexPath, readIndex, writeIndex} from './stage-index.ts';

/** Gives the compiled form of the stages of a loaded pipeline. */
export interface StageModules {
  /**
   * Absolute path of an importable, self-contained .mjs of the stage. Fails when the stage's code is no longer what the
   * pipeline was loaded with.
   */
  compile(stage: string): Promise<Result<string>>;
}

/** Loads stages of one project. An unchanged stage costs a few stats: esbuild and the stage itself stay unloaded. */
export class StageLoader {
  readonly #catalog: StageCatalog;
  readonly #cacheDir: string;
  readonly #tool: Sha256;
  readonly #declared = new Map<string, Sha256>();
  readonly #compiling = new Map<string, Promise<Result<string>>>();

  constructor(catalog: StageCatalog, cacheDir: string, packageRoot: string) {
    this.#catalog = catalog;
    this.#cacheDir = cacheDir;
    const version = readCacheFile(join(packageRoot, 'package.json')) ?? '';
    this.#tool = sha256(`${version}\0${readCacheFile(authorApi()) ?? ''}`);
  }

  /** The stage's declaration with its code digest, or everything that is wrong with the stage. */
  async load(name: string): Promise<Result<StageDeclaration, readonly StageFault[]>> {
    const found = this.#catalog.find(name);
    if (!found.ok) return found;
    const stage = found.value;
    const remembered = readIndex(this.#cacheDir, stage, this.#tool);
    const declared = remembered && this.#readDeclared(remembered.code);
    if (remembered && declared) return ok(this.#complete(stage, declared, remembered.code, remembered.manifest));
    return this.#loadAnew(stage);
  }

  compile(name: string): Promise<Result<string>> {
    const before = this.#compiling.get(name);
    if (before) return before;
    const compiling = this.#compile(name);
    this.#compiling.set(name, compiling);
    return compiling;
  }

  async #loadAnew(stage: StageFile): Promise<Result<StageDeclaration, readonly StageFault[]>> {
    const built = await this.#build(stage);
    if (!built.ok) return built;
    const {code, manifest, module} = built.value;
    const before = this.#readDeclared(code);
    if (before) return ok(this.#complete(stage, before, code, manifest));
    const imported = await importStage(module, stage);
    if (!imported.ok) return imported;
    const read = await readDeclaration(imported.value, stage.name);
    if ('faults' in read) {
      const message = `stage \`${stage.name}\` (${stage.shown}) is declared wrongly: ${read.faults.join('; ')}`;
      return err([{code: 'stage-invalid', message}]);
    }
    writeCacheJson(this.#declarationPath(code), read.stage);
    return ok(this.#complete(stage, read.stage, code, manifest));
  }

  /** Bundles the stage, stores the module under the hash of its text and remembers what it was made from. */
  async #build(
    stage: StageFile,
  ): Promise<Result<{code: Sha256; manifest: StageDeclaration['manifest']; module: string}, readonly StageFault[]>> {
    const checkedNs = fileSystemTime(indexPath(this.#cacheDir, stage));
    const bundled = await bundleStage(stage, this.#modulePath(sha256(''), stage));
    if (!bundled.ok) return bundled;
    const bundle: StageBundle = bundled.value;
    const manifest = await codeManifest(stage, bundle);
    const code = codeDigest(manifest);
    const hash = sha256(bundle.text);
    const module = this.#store(bundle.text, hash, stage);
    if (checkedNs !== undefined) {
      writeIndex(this.#cacheDir, stage, bundle, {code, manifest, module: hash, checkedNs, tool: this.#tool});
    }
    return ok({code, manifest, module});
  }

  async #compile(name: string): Promise<Result<string>> {
    const found = this.#catalog.find(name);
    if (!found.ok) return found;
    const stage = found.value;
    const wanted = this.#declared.get(name);
    const remembered = readIndex(this.#cacheDir, stage, this.#tool);
    if (remembered && remembered.code === wanted) {
      const path = this.#modulePath(remembered.module, stage);
      const text = readCacheFile(path);
      if (text !== undefined && sha256(text) === remembered.module) return ok(path);
    }
    const built = await this.#build(stage);
    if (!built.ok) {
      return err(
        built.error.map(({code, message, hint, elsewhere}) => {
          const rest = hint === undefined ? {} : {hint};
          return failure(code, message, {
            ...rest,
            ...(elsewhere ? {diagnostics: [{code, message, ...rest, ...elsewhere}]} : {}),
          });
        }),
      );
    }
    if (wanted === undefined || built.value.code === wanted) return ok(built.value.module);
    const message = `stage \`${name}\` (${stage.shown}) changed since the pipeline was loaded`;
    return err([failure('input-changed', message, {hint: 'run again'})]);
  }

  #complete(
    stage: StageFile,
    declared: DeclaredStage,
    code: Sha256,
    manifest: StageDeclaration['manifest'],
  ): StageDeclaration {
    this.#declared.set(stage.name, code);
    return {...declared, file: stage.shown, code, manifest};
  }

  #store(text: string, hash: Sha256, stage: StageFile): string {
    const path = this.#modulePath(hash, stage);
    const there = readCacheFile(path);
    if (there !== undefined && sha256(there) === hash) return path;
    if (writeCacheFile(path, text)) return path;
    // A store that cannot be written makes builds slower, not impossible.
    const spare = join(mkdtempSync(join(tmpdir(), 'mixdown-stage-')), `${stage.name}.mjs`);
    writeFileSync(spare, text);
    return spare;
  }

  #modulePath(hash: Sha256, stage: StageFile): string {
    return join(this.#cacheDir, 'stages', hash, `${stage.name}.mjs`);
  }

  #declarationPath(code: Sha256): string {
    return join(this.#cacheDir, 'stages', 'declarations', `${code}.json`);
  }

  #readDeclared(code: Sha256): DeclaredStage | undefined {
    const value = readCacheJson(this.#declarationPath(code));
    return typeof value === 'object' && value !== null && 'outputs' in value ? (value as DeclaredStage) : undefined;
  }
}

/** Runs the module's top level in this process and takes its default export. */
async function importStage(module: string, stage: StageFile): Promise<Result<unknown, readonly StageFault[]>> {
  try {
    const loaded = (await import(pathToFileURL(module).href)) as {default?: unknown};
    return ok(loaded.default);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `stage \`${stage.name}\` (${stage.shown}) fails while it is loaded: ${firstLine(why)}`;
    const hint = 'top-level code runs before any node does; keep what can fail inside `run`';
    return err([{code: 'stage-invalid', message, hint}]);
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
