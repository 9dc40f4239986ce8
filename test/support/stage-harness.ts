import {mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {Ajv2020} from 'ajv/dist/2020.js';
import {afterAll} from 'vitest';
import {compareUtf8} from '../../src/core/tree.ts';
import type {
  InputSpec,
  InputTree,
  InputsOf,
  OutputSpec,
  OutputsOf,
  ParamSpec,
  ParamsOf,
  StageSpec,
} from '../../src/stage-api.ts';

/** A file input: the path of a file, or the content to write to one. A tree input: a folder's path, or its files. */
export type PortInput =
  string | {readonly content: Uint8Array | string} | {readonly files: Readonly<Record<string, Uint8Array | string>>};

export interface HarnessOptions<P, I> {
  /** Params without a value take their default, as in a pipeline. */
  readonly params?: Partial<P>;
  /** A list for a `many` port. */
  readonly inputs?: {readonly [K in keyof I]?: PortInput | readonly PortInput[]};
  readonly seed?: number;
  readonly threads?: number;
  readonly device?: string;
  /** Class of the tensor engine, for a stage that needs one; `wasm` or $MIXDOWN_TEST_ENGINE. */
  readonly engine?: string;
  /** Folder of the checkpoint; a new one unless named, for a stage that is resumable. */
  readonly checkpoint?: string;
  readonly signal?: AbortSignal;
}

export interface HarnessResult<O> {
  /** Absolute path of each output, kept until the test file ends. */
  readonly outputs: O;
  readonly logs: readonly string[];
  readonly metrics: Readonly<Record<string, number>>;
  /** The fractions reported, in order. */
  readonly progress: readonly number[];
}

/**
 * Runs a stage's `run` in this process on temporary files, with the checks a build makes: params against their
 * declaration, the declared inputs present and no others, every declared output written (but for optional ones, as in a
 * slice), metrics finite.
 */
export async function runStage<
  const P extends Readonly<Record<string, ParamSpec>>,
  const I extends Readonly<Record<string, InputSpec>>,
  const O extends Readonly<Record<string, OutputSpec>>,
>(
  stage: StageSpec<P, I, O>,
  options: HarnessOptions<ParamsOf<P>, InputsOf<I>> = {},
): Promise<HarnessResult<OutputsOf<O>>> {
  const folder = temporaryFolder();
  const logs: string[] = [];
  const metrics: Record<string, number> = {};
  const progress: number[] = [];
  const outputs = outputPaths(stage.outputs, join(folder, 'out'));
  await stage.run({
    params: completeParams(stage.params, options.params ?? {}) as ParamsOf<P>,
    inputs: provideInputs(stage.inputs, options.inputs ?? {}, folder) as InputsOf<I>,
    outputs: outputs as OutputsOf<O>,
    seed: options.seed ?? (stage.seeded ? 1 : 0),
    threads: options.threads ?? 1,
    device: options.device ?? 'cpu',
    engine: stage.numericBackend ? (options.engine ?? testEngine()) : '',
    checkpoint: stage.resumable ? (options.checkpoint ?? temporaryFolder()) : '',
    signal: options.signal ?? new AbortController().signal,
    log: (text) => void logs.push(text),
    progress: (fraction) => {
      if (!(fraction >= 0 && fraction <= 1)) throw new Error(`progress ${fraction} is not in 0 ... 1`);
      progress.push(fraction);
    },
    metric: (name, value) => {
      if (!Number.isFinite(value)) throw new Error(`metric ${name} is ${value}`);
      metrics[name] = value;
    },
  });
  for (const [name, spec] of Object.entries(stage.outputs)) {
    const {kind} = spec;
    const info = statSync(outputs[name] ?? '', {throwIfNoEntry: false});
    if (info === undefined && 'optional' in spec) continue;
    const written = kind === 'file' ? info?.isFile() : info?.isDirectory();
    if (!written) throw new Error(`stage ${stage.name} did not write its output ${name}`);
  }
  return {outputs: outputs as OutputsOf<O>, logs, metrics, progress};
}

/** The tensor engine that stages are tested on. */
export function testEngine(): string {
  const {MIXDOWN_TEST_ENGINE: named = ''} = process.env;
  return named === '' ? 'wasm' : named;
}

/** A new folder, removed when the test file ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mixdown-stage-'));
  created.push(folder);
  return folder;
}

/** The folder as a stage sees it. */
export function treeOf(folder: string): InputTree {
  const paths = readdirSync(folder, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  const entries = paths.sort(compareUtf8).map((path) => ({
    path,
    key: path.replace(/\.[^./]*$/, ''),
    file: join(folder, path),
    size: statSync(join(folder, path)).size,
  }));
  return {
    entries,
    file(path) {
      const entry = entries.find((candidate) => candidate.path === path);
      if (entry === undefined) throw new Error(`no entry ${path}`);
      return entry.file;
    },
  };
}

// Removed by a hook of the test file that imported this module: vitest loads it anew for each.
const created: string[] = [];
afterAll(() => {
  for (const folder of created) rmSync(folder, {recursive: true, force: true});
});

function completeParams(specs: Readonly<Record<string, ParamSpec>>, given: Readonly<Record<string, unknown>>): object {
  const ajv = new Ajv2020({keywords: ['about', 'heldOut'], strictTypes: false});
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(given)) if (!(name in specs)) throw new Error(`no param ${name}`);
  for (const [name, spec] of Object.entries(specs)) {
    const value = given[name] ?? spec.default;
    if (value === undefined) throw new Error(`param ${name} needs a value`);
    if (!ajv.validate(spec, value)) throw new Error(`param ${name}: ${ajv.errorsText()}`);
    values[name] = value;
  }
  return values;
}

function provideInputs(
  specs: Readonly<Record<string, InputSpec>>,
  given: Readonly<Record<string, PortInput | readonly PortInput[] | undefined>>,
  folder: string,
): object {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(given)) if (!(name in specs)) throw new Error(`no input ${name}`);
  for (const [name, spec] of Object.entries(specs)) {
    const value = given[name];
    if (value === undefined) {
      if (spec.optional !== true) throw new Error(`input ${name} is missing`);
      if (spec.many === true) values[name] = [];
    } else if (spec.many === true) {
      values[name] = listOf(value).map((item, i) => provideOne(spec, item, join(folder, 'in', `${name}-${i}`)));
    } else {
      values[name] = provideOne(spec, listOf(value)[0] as PortInput, join(folder, 'in', name));
    }
  }
  return values;
}

function listOf(value: PortInput | readonly PortInput[]): readonly PortInput[] {
  return Array.isArray(value) ? (value as readonly PortInput[]) : [value as PortInput];
}

function provideOne(spec: InputSpec, value: PortInput, place: string): string | InputTree {
  if (typeof value === 'string') return spec.kind === 'file' ? value : treeOf(value);
  if ('content' in value) {
    writeInto(place, value.content);
    return place;
  }
  mkdirSync(place, {recursive: true});
  for (const [path, content] of Object.entries(value.files)) writeInto(join(place, path), content);
  return treeOf(place);
}

function writeInto(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, content);
}

function outputPaths(specs: Readonly<Record<string, OutputSpec>>, folder: string): Record<string, string> {
  const paths: Record<string, string> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const path = join(folder, name, spec.name);
    mkdirSync(spec.kind === 'tree' ? path : dirname(path), {recursive: true});
    paths[name] = path;
  }
  return paths;
}
