import {isObject, type Json, type JsonObject} from '../core/json.ts';
import type {Problem} from './problem.ts';

/** The sound part of a document with mistakes in its shape. */
export interface Salvaged {
  readonly document: JsonObject;
  /** Nodes with a mistake: they exist, but nothing more is said about them or their outputs. */
  readonly broken: ReadonlySet<string>;
}

/**
 * What of a document can still be checked, so that mistakes in shape and in references are reported together. Undefined
 * when its frame itself is wrong.
 */
export function salvage(document: Json, faults: readonly Problem[]): Salvaged | undefined {
  if (!isObject(document) || !isObject(document['nodes'])) return undefined;
  const broken = new Set<string>();
  const sources: Record<string, Json | undefined> = isObject(document['sources']) ? {...document['sources']} : {};
  const targets: Record<string, Json | undefined> = isObject(document['targets']) ? {...document['targets']} : {};
  for (const {path} of faults) {
    const [section, key] = path;
    if (section === 'version' || section === 'vars') return undefined;
    if (key === undefined) continue;
    if (section === 'nodes') broken.add(String(key));
    if (section === 'sources') sources[key] = '.';
    if (section === 'targets') delete targets[key];
  }
  const {seed, salt, vars, nodes} = document;
  return {
    broken,
    document: {
      version: 1,
      nodes,
      sources,
      targets,
      vars: isObject(vars) ? vars : {},
      ...(typeof seed === 'number' ? {seed} : {}),
      ...(typeof salt === 'string' ? {salt} : {}),
    },
  };
}
