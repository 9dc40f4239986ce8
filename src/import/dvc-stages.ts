import {posix} from 'node:path';
import {isArray, isObject, isScalar, type Json, type JsonObject} from '../core/json.ts';
import {readParams, type DvcDocument, type DvcFiles, type DvcPath} from './dvc-document.ts';
import {fill, fillValue, wholeReference, type DvcScope, type Filled} from './dvc-template.ts';

/** Adds a note about the value at a path. */
export type Note = (path: DvcPath, message: string, hint: string) => void;

/** A path in a stage, relative to the folder of dvc.yaml, and where it is written. */
export interface DvcFile extends Filled {
  readonly at: DvcPath;
}

export interface DvcOut extends DvcFile {
  readonly section: 'outs' | 'metrics' | 'plots';
}

/** One stage to run: `train`, or `train@us` of a `foreach` or `matrix`. */
export interface DvcStage {
  readonly name: string;
  readonly at: DvcPath;
  readonly commands: readonly Filled[];
  /** Relative to the folder of dvc.yaml; `.` is that folder. */
  readonly folder: string;
  readonly deps: readonly DvcFile[];
  readonly outs: readonly DvcOut[];
}

/** The stages of a document, and the values that their commands refer to. */
export interface DvcStages {
  readonly stages: readonly DvcStage[];
  readonly vars: JsonObject;
}

/** Expands `foreach` and `matrix`, replaces references, and makes all paths relative to the folder of dvc.yaml. */
export async function readStages({root}: DvcDocument, files: DvcFiles, note: Note): Promise<DvcStages> {
  const global = await readVars(root['vars'], ['vars'], '.', files, note, true);
  const used = new Set<string>();
  const stages: DvcStage[] = [];
  const sections = root['stages'] as JsonObject;
  for (const [name, written] of Object.entries(sections)) {
    const at: DvcPath = ['stages', name];
    if (!isObject(written)) {
      note(at, `stage \`${name}\` is no mapping`, 'write this node by hand');
      continue;
    }
    const inner = isObject(written['do']) ? written['do'] : written;
    const here: DvcPath = inner === written ? at : [...at, 'do'];
    const scopeOf = (local: JsonObject, path: DvcPath, itemAt?: readonly string[]): DvcScope => ({
      local,
      ...(itemAt ? {itemAt} : {}),
      global,
      use: (top) => used.add(top),
      complain: (reference, why) =>
        note(path, `\`\${${reference}}\` ${why}`, 'write the value into pipeline.yaml yourself'),
    });
    const instances = instancesOf(name, written, scopeOf({}, at));
    if (instances.length === 0) note(at, `stage \`${name}\` has no instance`, 'write this node by hand');
    if (written['foreach'] !== undefined || written['matrix'] !== undefined) {
      const message = `the instances of \`${name}\` are nodes of their own, with the values of \`item\` written out`;
      note(at, message, 'for another instance, copy a node, or import again with --force');
    }
    for (const {id, local, itemAt} of instances) {
      const plain = scopeOf(local, here);
      const folder = posix.normalize(typeof inner['wdir'] === 'string' ? fill(inner['wdir'], plain).plain : '.');
      const own = await readVars(inner['vars'], [...here, 'vars'], folder, files, note, false);
      stages.push(readStage(id, inner, here, folder, (path) => scopeOf({...own, ...local}, path, itemAt), note));
    }
  }
  const vars = Object.fromEntries(Object.entries(global).filter(([name]) => used.has(name)));
  return {stages, vars};
}

function readStage(
  name: string,
  section: JsonObject,
  at: DvcPath,
  folder: string,
  scopeOf: (path: DvcPath) => DvcScope,
  note: Note,
): DvcStage {
  const pathOf = (text: string, path: DvcPath): DvcFile => {
    const filled = fill(text, scopeOf(path));
    const inProject = (written: string) => {
      const outside = /^([a-z][a-z0-9+]*:\/\/|\/)/.test(written);
      return outside ? written : posix.normalize(posix.join(folder, written)).replace(/(.)\/$/, '$1');
    };
    return {plain: inProject(filled.plain), kept: inProject(filled.kept), at: path};
  };
  const deps = listOf(section['deps']).flatMap((dep, index) =>
    typeof dep === 'string' ? [pathOf(dep, [...at, 'deps', index])] : [],
  );
  listOf(section['params']).forEach((entry, index) => {
    const path = [...at, 'params', index];
    const named = isObject(entry) ? Object.entries(entry) : [['params.yaml', [entry]] as const];
    for (const [file, keys] of named) {
      const found = pathOf(file, path);
      if (!deps.some(({plain}) => plain === found.plain)) deps.push(found);
      if (!isArray(keys) || keys.length === 0) continue;
      const message = `stage \`${name}\` watches only some values of ${found.plain}; the node is stale when anything in it changes`;
      note(
        [...at, 'params'],
        message,
        `to be exact, split the file, or pass the values as \`\${vars.…}\` in the command`,
      );
    }
  });
  const outs = (['outs', 'metrics', 'plots'] as const).flatMap((part) =>
    listOf(section[part]).flatMap((entry, index): DvcOut[] => {
      const path = [...at, part, index];
      if (typeof entry === 'string') return [{...pathOf(entry, path), section: part}];
      return Object.entries(isObject(entry) ? entry : {}).map(([out, flags]) => {
        noteFlags(isObject(flags) ? flags : {}, out, [...path, out], note);
        return {...pathOf(out, path), section: part};
      });
    }),
  );
  noteKeys(name, section, at, note);
  const cmd = section['cmd'];
  const commands = (isArray(cmd) ? cmd : [cmd]).map((text) =>
    fill(isScalar(text) ? String(text) : '', scopeOf([...at, 'cmd'])),
  );
  if (!commands.some(({plain}) => plain.trim() !== ''))
    note(at, `stage \`${name}\` has no \`cmd\``, 'write its command');
  return {name, at, commands, folder, deps, outs: distinct(outs)};
}

function noteFlags(flags: JsonObject, out: string, path: DvcPath, note: Note): void {
  if (flags['persist'] === true) {
    const message = `\`${out}\` has \`persist: true\`: here a command starts without its last output`;
    note(path, message, 'make the command write the whole output each time');
  }
  if (flags['cache'] === false) {
    const message = `\`${out}\` has \`cache: false\`: here it is kept in the cache and not written into the project`;
    note(path, message, 'read it in runs/latest/out, or copy it out: mixdown show NODE.OUTPUT --to PATH');
  }
  const lost = ['remote', 'push', 'type', 'labels', 'template', 'x', 'y', 'x_label', 'y_label', 'title'];
  const found = lost.filter((key) => flags[key] !== undefined);
  if (found.length > 0) {
    note(
      path,
      `\`${found.join('`, `')}\` of \`${out}\` left out`,
      'nothing stands for it; draw plots in a node of their own',
    );
  }
}

function noteKeys(name: string, section: JsonObject, at: DvcPath, note: Note): void {
  if (section['frozen'] === true)
    note([...at, 'frozen'], `\`${name}\` is frozen: here it runs when it is stale`, 'make its outputs sources instead');
  if (section['always_changed'] === true) {
    const message = `\`${name}\` has \`always_changed\`: here a node runs only when something changed`;
    note([...at, 'always_changed'], message, 'run it again with: mixdown run NODE --force');
  }
  const known = 'cmd deps params outs metrics plots wdir vars desc meta frozen always_changed foreach do matrix'.split(
    ' ',
  );
  for (const key of Object.keys(section)) {
    if (!known.includes(key))
      note([...at, key], `\`${key}\` of \`${name}\` left out`, 'write by hand what it stands for');
  }
}

interface Instance {
  readonly id: string;
  readonly local: JsonObject;
  readonly itemAt?: readonly string[];
}

function instancesOf(name: string, section: JsonObject, scope: DvcScope): readonly Instance[] {
  const {foreach, matrix} = section;
  if (foreach !== undefined) {
    const over = fillValue(foreach, scope);
    if (isArray(over)) {
      const simple = over.every(isScalar);
      const label = (item: Json, index: number) => String(simple && isScalar(item) ? item : index);
      return over.map((item, index) => ({id: `${name}@${label(item, index)}`, local: {item, key: index}}));
    }
    if (!isObject(over)) return [];
    const from = wholeReference(foreach);
    return Object.entries(over).map(([key, item]) => ({
      id: `${name}@${key}`,
      local: {item: item ?? null, key},
      ...(from && isObject(item) ? {itemAt: [...from, key]} : {}),
    }));
  }
  if (isObject(matrix)) {
    let rows: {label: string; item: JsonObject}[] = [{label: '', item: {}}];
    for (const [axis, written] of Object.entries(matrix)) {
      const values = fillValue(written ?? null, scope);
      const labelled = listOf(values).map(
        (value, index) => [isScalar(value) ? value : `${axis}${index}`, value] as const,
      );
      rows = rows.flatMap(({label, item}) =>
        labelled.map(([word, value]) => ({
          label: label === '' ? String(word) : `${label}-${word}`,
          item: {...item, [axis]: value},
        })),
      );
    }
    return rows.map(({label, item}) => ({id: `${name}@${label}`, local: {item, key: label}}));
  }
  return [{id: name, local: {}}];
}

/** Values of `vars`, after those of params.yaml, which DVC reads by itself. */
async function readVars(
  written: Json | undefined,
  at: DvcPath,
  folder: string,
  files: DvcFiles,
  note: Note,
  withDefault: boolean,
): Promise<JsonObject> {
  let values: JsonObject = {};
  const add = async (path: string, keys: readonly string[], place: DvcPath | undefined): Promise<void> => {
    const text = files.read(posix.join(folder, path));
    const found = text === undefined || /\.(toml|py)$/.test(path) ? undefined : await readParams(text);
    if (!found) {
      if (place)
        note(place, `the values of ${path} could not be read`, 'only YAML and JSON can: write the values into `vars`');
      return;
    }
    const chosen = keys.length === 0 ? found : Object.fromEntries(keys.map((key) => [key, found[key]]));
    values = merge(values, chosen);
  };
  if (withDefault) await add('params.yaml', [], undefined);
  for (const [index, entry] of listOf(written).entries()) {
    if (isObject(entry)) values = merge(values, entry);
    else if (typeof entry === 'string') {
      const [path = '', keys = ''] = entry.split(':');
      if (!(withDefault && path === 'params.yaml')) await add(path, keys === '' ? [] : keys.split(','), [...at, index]);
    }
  }
  return values;
}

function merge(first: JsonObject, second: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = {...first};
  for (const [key, value] of Object.entries(second)) {
    const before = merged[key];
    merged[key] = isObject(before) && isObject(value) ? merge(before, value) : value;
  }
  return merged;
}

function listOf(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

function distinct(outs: readonly DvcOut[]): readonly DvcOut[] {
  return outs.filter(({plain}, index) => outs.findIndex((other) => other.plain === plain) === index);
}
