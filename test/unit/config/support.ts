import {mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {onTestFinished} from 'vitest';
import {loadPipeline, type LoadedPipeline} from '../../../src/config/load-pipeline.ts';
import {renderDiagnostics} from '../../../src/core/diagnostic-text.ts';
import type {Pipeline} from '../../../src/core/pipeline.ts';
import type {Result} from '../../../src/core/result.ts';

export interface Project {
  readonly root: string;
  readonly cacheDir: string;
  write(path: string, text: string): void;
  load(options?: LoadOverrides): Promise<Result<LoadedPipeline>>;
  /** The pipeline of a project without mistakes. */
  pipeline(options?: LoadOverrides): Promise<Pipeline>;
  /** What a reader of a project with mistakes sees. */
  mistakes(options?: LoadOverrides): Promise<string>;
}

export interface LoadOverrides {
  readonly profiles?: readonly string[];
  readonly overrides?: readonly string[];
}

/** A folder with the given files, removed when the test ends. */
export function project(files: Readonly<Record<string, string>>): Project {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'mixdown-config-'));
  onTestFinished(() => rmSync(root, {recursive: true, force: true}));
  const cacheDir = join(root, 'cache');
  const write = (path: string, text: string) => {
    const at = join(root, path);
    mkdirSync(dirname(at), {recursive: true});
    writeFileSync(at, text);
  };
  for (const [path, text] of Object.entries({...stages, ...files})) write(path, text);
  const load = ({profiles = [], overrides = []}: LoadOverrides = {}) =>
    loadPipeline({root, file: join(root, 'pipeline.yaml'), profiles, overrides, cacheDir, packageRoot: root});
  return {
    root,
    cacheDir,
    write,
    load,
    async pipeline(options) {
      const result = await load(options);
      if (!result.ok) throw new Error(renderDiagnostics(result.error));
      return result.value.pipeline;
    },
    async mistakes(options) {
      const result = await load(options);
      return result.ok ? 'no mistakes' : `\n${renderDiagnostics(result.error)}`;
    },
  };
}

/** A project that consists of the given pipeline.yaml and the stages below. */
export function pipelineOf(yaml: string): Project {
  return project({'pipeline.yaml': yaml});
}

const stages = {
  'stages/make.ts': stage('make', {
    params: `{
      count: {type: 'integer', minimum: 1, default: 3, about: 'how many'},
      label: {type: 'string', default: 'x', about: 'a text'},
    }`,
    outputs: `{out: {kind: 'tree', name: 'out', about: 'files'}}`,
  }),
  'stages/refine.ts': stage('refine', {
    params: `{rate: {type: 'number', minimum: 0, default: 0.5, about: 'a rate'}}`,
    inputs: `{item: {kind: 'file', about: 'one item'}}`,
    outputs: `{out: {kind: 'file', name: 'out.txt', about: 'refined'}}`,
  }),
  'stages/train.ts': stage('train', {
    params: `{
      fold: {type: 'integer', minimum: 0, about: 'held out'},
      levels: {type: 'string', default: 'h1', about: 'levels'},
      sizes: {type: 'array', items: {type: 'integer'}, default: [1], about: 'layer sizes'},
    }`,
    inputs: `{features: {kind: 'tree', about: 'features'}, split: {kind: 'file', optional: true, about: 'split'}}`,
    outputs: `{model: {kind: 'file', name: 'model.bin', about: 'model'}, predictions: {kind: 'file', name: 'predictions.csv', about: 'p'}}`,
    more: `seeded: true, resources: {cpu: 2},`,
  }),
  'stages/merge.ts': stage('merge', {
    inputs: `{parts: {kind: 'file', many: true, about: 'parts'}}`,
    outputs: `{table: {kind: 'file', name: 'table.csv', display: true, about: 'table'}}`,
  }),
  'stages/pair.ts': stage('pair', {
    inputs: `{left: {kind: 'file', about: 'l'}, right: {kind: 'file', about: 'r'}}`,
    outputs: `{both: {kind: 'file', name: 'both.txt', about: 'b'}}`,
  }),
};

export function stage(
  name: string,
  {
    params = '{}',
    inputs = '{}',
    outputs = '{}',
    more = '',
  }: {params?: string; inputs?: string; outputs?: string; more?: string},
): string {
  return `import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: '${name}',
  summary: 'For tests.',
  params: ${params},
  inputs: ${inputs},
  outputs: ${outputs},
  ${more}
  run() {},
});
`;
}
