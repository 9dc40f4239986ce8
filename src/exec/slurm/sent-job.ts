import {readFile} from 'node:fs/promises';
import {basename} from 'node:path';
import {digestOf, type Digest} from '../../core/digest.ts';
import type {Job, JobInput} from '../../core/ports.ts';
import {entryPath, readTree, type TreeInput} from '../input-tree.ts';
import {packagesOf, type StagePackage} from './stage-packages.ts';

/** An input by the digest of its bytes. */
export type SentInput =
  | {
      readonly kind: 'file';
      readonly digest: Digest;
      readonly name?: string;
      /** Name of the file; absent for one of the store. */
      readonly file?: string;
    }
  | {
      readonly kind: 'tree';
      readonly digest: Digest;
      readonly name?: string;
      /** Where its entries lie: under their hash, or under their path, as in the source that they are. */
      readonly in: 'cas' | 'folder';
    }
  | {readonly kind: 'many'; readonly items: readonly SentInput[]};

export interface SentModule {
  readonly digest: Digest;
  readonly packages: readonly StagePackage[];
}

/** A job without a path of the machine that it was made on. */
export interface SentJob extends Omit<Job, 'work' | 'inputs' | 'folder' | 'checkpoint' | 'anew'> {
  readonly work:
    | {readonly type: 'stage'; readonly stage: string; readonly engine: string; readonly module: SentModule}
    | Extract<Job['work'], {type: 'command'}>;
  readonly inputs: Readonly<Record<string, SentInput>>;
  /** It may keep a checkpoint. */
  readonly resumable?: true;
}

/** Bytes that a job reads, and the file that they lie in here. */
export interface Load {
  readonly digest: Digest;
  readonly file: string;
}

/** What the job reads; of its trees the blobs that list them. */
export interface Cargo {
  readonly loads: readonly Load[];
  readonly trees: readonly TreeInput[];
}

/** What a job is as data, and what it reads. @throws Error of the file system, or InputError */
export type Describe = (job: Job) => Promise<{readonly job: SentJob; readonly cargo: Cargo}>;

/** Lists of trees and stages are read once: their paths are names of their content. */
export function createDescribe(): Describe {
  const digests = new Map<string, Promise<Digest>>();
  const modules = new Map<string, Promise<SentModule>>();
  const digestAt = (file: string): Promise<Digest> => once(digests, file, async () => digestOf(await readFile(file)));
  const moduleAt = (file: string): Promise<SentModule> =>
    once(modules, file, async () => {
      const text = await readFile(file, 'utf8');
      return {digest: digestOf(text), packages: packagesOf(text)};
    });
  return async (job) => {
    const loads: Load[] = [];
    const trees: TreeInput[] = [];
    const describe = async (input: JobInput): Promise<SentInput> => {
      switch (input.kind) {
        case 'file': {
          const {path, name} = input;
          const digest = input.digest ?? digestOf(await readFile(path));
          loads.push({digest, file: path});
          const file = basename(path) === digest.hash ? {} : {file: basename(path)};
          return {kind: 'file', digest, ...nameOf(name), ...file};
        }
        case 'tree': {
          const digest = await digestAt(input.manifest);
          loads.push({digest, file: input.manifest});
          trees.push(input);
          return {kind: 'tree', digest, ...nameOf(input.name), in: input.base.in};
        }
        case 'many':
          return {kind: 'many', items: await Promise.all(input.items.map(describe))};
      }
    };
    const inputs: Record<string, SentInput> = {};
    for (const [port, input] of Object.entries(job.inputs)) inputs[port] = await describe(input);
    const {work, folder: _, checkpoint, anew: __, ...rest} = job;
    const sent = {...rest, inputs, ...(checkpoint === undefined ? {} : {resumable: true as const})};
    if (work.type === 'command') return {job: {...sent, work}, cargo: {loads, trees}};
    const {module: file, ...stage} = work;
    const module = await moduleAt(file);
    loads.push({digest: module.digest, file});
    return {job: {...sent, work: {...stage, module}}, cargo: {loads, trees}};
  };
}

function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let found = known.get(key);
  if (!found) {
    known.set(key, (found = make()));
    found.catch(() => known.delete(key));
  }
  return found;
}

/** The files of a tree. @throws InputError */
export function loadsOf(tree: TreeInput): readonly Load[] {
  return readTree(tree).map(({path, digest}) => ({digest, file: entryPath(tree, path, digest.hash)}));
}

function nameOf(name: string | undefined): {readonly name?: string} {
  return name === undefined ? {} : {name};
}
