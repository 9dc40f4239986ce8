import type {Document} from 'yaml';
import {failure} from '../core/failure.ts';
import {isObject, type Json, type JsonObject} from '../core/json.ts';
import {err, ok, type Result} from '../core/result.ts';

/** Keys and positions from the document's root to a value. */
export type DvcPath = readonly (string | number)[];

/** The files beside dvc.yaml; paths are relative to its folder. */
export interface DvcFiles {
  read(path: string): string | undefined;
  kindOf(path: string): 'file' | 'tree' | undefined;
}

/** What the new pipeline does differently, or not at all. */
export interface ImportNote {
  /** Line in dvc.yaml, from 1. */
  readonly line: number;
  readonly message: string;
  /** What to do by hand. */
  readonly hint: string;
}

/** A dvc.yaml that was read, with the line of each value. */
export interface DvcDocument {
  readonly root: JsonObject;
  /** Line of a value, or of the nearest one around it that exists. */
  lineOf(path: DvcPath): number;
}

/** Reads dvc.yaml. Fails with `yaml-syntax` when it is no YAML, with `bad-value` when it has no stages. */
export async function readDvcDocument(text: string): Promise<Result<DvcDocument>> {
  const {parseDocument, LineCounter, isMap} = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, {merge: true, prettyErrors: false, lineCounter: lines});
  const wrong = document.errors[0];
  if (wrong) {
    const {line, col} = lines.linePos(wrong.pos[0]);
    return err([failure('yaml-syntax', `dvc.yaml:${line}:${col}: ${wrong.message}`)]);
  }
  await keepNumbers(document);
  const root = document.toJS() as Json;
  if (!isObject(root) || !isObject(root['stages']) || Object.keys(root['stages']).length === 0) {
    return err([failure('bad-value', 'dvc.yaml has no `stages`', {hint: 'there is nothing to import'})]);
  }
  const lineOf = (path: DvcPath): number => {
    for (let length = path.length; length > 0; length--) {
      const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
      const pair = isMap(parent) ? parent.items.find(({key}) => String(key) === String(path[length - 1])) : undefined;
      const at = ranged(pair?.key) ?? ranged(document.getIn(path.slice(0, length), true));
      if (at !== undefined) return lines.linePos(at).line;
    }
    return 1;
  };
  return ok({root, lineOf});
}

/** Values of a YAML or JSON file of params; undefined when the file is neither. */
export async function readParams(text: string): Promise<JsonObject | undefined> {
  const {parseDocument} = await import('yaml');
  const document = parseDocument(text, {merge: true, prettyErrors: false});
  if (document.errors.length > 0) return undefined;
  await keepNumbers(document);
  const value = document.toJS() as Json;
  return isObject(value) ? value : undefined;
}

/**
 * Numbers that would be printed otherwise than they are written (`1.0`, `1e-4`) become texts: commands see them as before.
 */
async function keepNumbers(document: Document.Parsed): Promise<void> {
  const {visit} = await import('yaml');
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'number' && node.source !== undefined && String(node.value) !== node.source)
        node.value = node.source;
    },
  });
}

function ranged(node: unknown): number | undefined {
  const {range} = (typeof node === 'object' && node !== null ? node : {}) as {range?: readonly number[] | null};
  return range?.[0];
}
