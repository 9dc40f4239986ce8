import {posix} from 'node:path';
import type {Json, JsonObject} from '../core/json.ts';
import {commandOf} from './command-section.ts';
import type {DvcFiles} from './dvc-document.ts';
import type {LockedKinds} from './dvc-lock.ts';
import type {DvcFile, DvcOut, DvcStage, Note} from './dvc-stages.ts';
import {Names} from './names.ts';

/** The `sources` and `nodes` of a pipeline. */
export interface Sections {
  readonly sources: Readonly<Record<string, string>>;
  readonly nodes: Readonly<Record<string, JsonObject>>;
}

interface Made {
  readonly out: DvcOut;
  readonly name: string;
  readonly kind: 'file' | 'tree';
  readonly reference: string;
}

interface Planned {
  readonly stage: DvcStage;
  readonly name: string;
  readonly made: readonly Made[];
}

const reserved = ['vars', 'matrix', 'inputs', 'outputs', 'params', 'seed', 'env'];
const inputPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;

/** Turns stages into command nodes: dependencies that other stages make become references, all others sources. */
export function nodesOf(
  stages: readonly DvcStage[],
  files: DvcFiles,
  lock: LockedKinds,
  sourcePath: (path: string) => string,
  note: Note,
): Sections {
  const names = new Names(reserved);
  const planned = stages.map((stage) => plan(stage, names.take(stage.name), files, lock, note));
  const producers = new Map(planned.flatMap(({made}) => made.map((each) => [each.out.plain, each] as const)));
  const sources: Record<string, string> = {};
  const sourceNames = new Map<string, string>();
  const sourceOf = (dep: DvcFile, stage: DvcStage): string => {
    const known = sourceNames.get(dep.plain);
    if (known !== undefined) return known;
    const name = names.take(wishOf(dep.plain), posix.basename(dep.plain), dep.plain);
    sourceNames.set(dep.plain, name);
    sources[name] = sourcePath(dep.plain);
    if (files.kindOf(dep.plain) === undefined)
      note(
        dep.at,
        `\`${dep.plain}\` of \`${stage.name}\` is not here`,
        'get it, as with `dvc pull`, before the first run',
      );
    return name;
  };
  const nodes: Record<string, JsonObject> = {};
  for (const {stage, name, made} of planned) {
    const inputs = inputsOf(stage, name, producers, sourceOf, note);
    nodes[name] = nodeOf(stage, made, inputs, note);
  }
  return {sources, nodes};
}

function plan(stage: DvcStage, name: string, files: DvcFiles, lock: LockedKinds, note: Note): Planned {
  const names = new Names();
  const wanted = stage.outs.filter((out) => isInside(out, 'output', stage, note));
  const made = wanted.map((out): Made => {
    const output = names.take(wishOf(out.plain));
    const sure = lock.kindOf(stage.name, posix.relative(stage.folder, out.plain)) ?? files.kindOf(out.plain);
    const kind = sure ?? (posix.extname(out.plain) === '' ? 'tree' : 'file');
    if (!sure && kind === 'tree')
      note(out.at, `\`${out.plain}\` is taken for a folder`, `if it is a file, write: ${output}: ${out.plain}`);
    return {out, name: output, kind, reference: wanted.length === 1 ? name : `${name}.${output}`};
  });
  return {stage, name, made};
}

function inputsOf(
  stage: DvcStage,
  node: string,
  producers: ReadonlyMap<string, Made>,
  sourceOf: (dep: DvcFile, stage: DvcStage) => string,
  note: Note,
): Record<string, string> {
  const inputs: Record<string, string> = {};
  const own = new Set(stage.outs.map(({plain}) => plain));
  for (const dep of stage.deps) {
    const {plain} = dep;
    const exact = producers.get(plain);
    const around = [...producers].find(([path]) => liesIn(plain, path))?.[1];
    const within = [...producers].filter(([path]) => liesIn(path, plain) && !own.has(path));
    if (exact && !own.has(plain)) inputs[plain] = exact.reference;
    else if ([...own].some((out) => out === plain || liesIn(out, plain) || liesIn(plain, out))) {
      const message = `\`${plain}\` is both read and written by \`${stage.name}\``;
      note(dep.at, message, 'give the command another folder to write to, and add what it reads to `inputs`');
    } else if (around) inputs[around.out.plain] = around.reference;
    else if (within.length > 0) {
      for (const [path, {reference}] of within) inputs[path] = reference;
      const paths = within.map(([path]) => `\`${path}\``).join(', ');
      note(
        dep.at,
        `of \`${plain}\`, \`${stage.name}\` gets what stages make: ${paths}`,
        'add other files in it to `inputs`',
      );
    } else if (isInside(dep, 'input', stage, note)) inputs[plain] = sourceOf(dep, stage);
  }
  const outer = Object.keys(inputs);
  const kept = Object.entries(inputs).filter(([path]) => !outer.some((other) => liesIn(path, other)));
  return Object.fromEntries(kept.filter(([, reference]) => reference.split('.')[0] !== node));
}

function nodeOf(stage: DvcStage, made: readonly Made[], inputs: Record<string, string>, note: Note): JsonObject {
  const outputs: Record<string, Json> = {};
  for (const {out, name, kind} of made) {
    const display = out.section === 'metrics' && kind === 'file';
    if (kind === 'file' && !display) outputs[name] = out.kept;
    else outputs[name] = {path: out.kept, ...(kind === 'tree' ? {kind} : {}), ...(display ? {display} : {})};
  }
  const marker = made.length === 0 ? 'done.txt' : undefined;
  if (marker) {
    outputs['done'] = marker;
    const message = `\`${stage.name}\` has no outputs: its node only writes ${marker} when it is done`;
    note(stage.at, message, 'declare the files that it writes under `outputs`: any other is an error');
  }
  return {
    ...commandOf(stage, Object.keys(inputs), marker),
    ...(Object.keys(inputs).length > 0 ? {inputs} : {}),
    outputs,
    ...(stage.commands.some(({plain}) => /\bpython/.test(plain)) ? {scratch: ['**/__pycache__/**']} : {}),
  };
}

function isInside({plain, kept, at}: DvcFile, what: 'input' | 'output', {name}: DvcStage, note: Note): boolean {
  if (inputPattern.test(plain)) return true;
  if (what === 'output' && !plain.startsWith('..') && !/^([a-z][a-z0-9+]*:\/\/|\/)/.test(plain) && plain !== '.')
    return true;
  const why =
    plain === '.'
      ? 'is the whole project'
      : plain.startsWith('..') || plain.startsWith('/') || plain.includes('://')
        ? 'lies outside the folder of dvc.yaml'
        : 'has a character that a name of an input cannot have';
  const hint =
    what === 'input'
      ? 'copy or download it into the project, make that a source, and add it to `inputs`'
      : 'write it into the project, and copy it out afterwards';
  note(at, `${what} \`${kept}\` of \`${name}\` left out: it ${why}`, hint);
  return false;
}

function wishOf(path: string): string {
  const name = posix.basename(path);
  return name.replace(/(.)\.[^.]*$/, '$1');
}

function liesIn(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
