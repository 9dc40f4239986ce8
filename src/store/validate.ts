/**
 * Checks of what comes from the disk. Records and trees are untrusted: a hash becomes part of a path, and a tree's paths
 * decide where files are written.
 */
import {isComplete, type Action, type ActionResult} from '../core/action.ts';
import {isDigest, isSha256} from '../core/digest.ts';
import {isVoucher} from '../core/origin.ts';
import type {NodeState} from '../core/ports.ts';
import {parseTree, type Artifact, type Tree} from '../core/tree.ts';

type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isArtifact(value: unknown): value is Artifact {
  if (!isFields(value) || !isDigest(value['digest'])) return false;
  if (value['kind'] === 'file') return true;
  return value['kind'] === 'tree' && isCount(value['files']) && isCount(value['bytes']);
}

/** True for what the store relies on; the action itself is checked by its fingerprint. */
export function isActionResult(value: unknown): value is ActionResult {
  if (!isFields(value) || value['type'] !== 'action-result/1') return false;
  const {fingerprint, action, outputs, metrics, execution, slices, borrowed, via} = value;
  return (
    typeof fingerprint === 'string' &&
    isSha256(fingerprint) &&
    isFields(action) &&
    typeof action['code'] === 'string' &&
    isSha256(action['code']) &&
    isFields(action['inputs']) &&
    Object.values(action['inputs']).every((input) =>
      Array.isArray(input) ? input.every(isDigest) : isDigest(input),
    ) &&
    isArtifacts(outputs) &&
    hasAllOutputs(action, outputs) &&
    isNumbers(metrics) &&
    isFields(execution) &&
    typeof execution['runId'] === 'string' &&
    Number.isFinite(execution['wallMs']) &&
    (execution['log'] === undefined || isDigest(execution['log'])) &&
    (slices === undefined || isDigest(slices)) &&
    (borrowed === undefined || isOrigin(borrowed)) &&
    isVia(via)
  );
}

export function isNodeState(value: unknown): value is NodeState {
  if (!isFields(value)) return false;
  const {node, fingerprint, outputs, metrics, wallMs, slices, from, via} = value;
  return (
    typeof node === 'string' &&
    typeof fingerprint === 'string' &&
    isSha256(fingerprint) &&
    isArtifacts(outputs) &&
    isNumbers(metrics) &&
    Number.isFinite(wallMs) &&
    (slices === undefined || isDigest(slices)) &&
    (from === undefined || isVoucher(from)) &&
    isVia(via)
  );
}

/** Reads a tree's text; undefined unless every entry has a digest and a path that stays inside the tree. */
export function parseSafeTree(text: string): Tree | undefined {
  let tree: Tree | undefined;
  try {
    tree = parseTree(text);
  } catch {
    return undefined;
  }
  const safe = tree?.entries.every(
    ({path, digest}) => typeof path === 'string' && isInnerPath(path) && isDigest(digest),
  );
  return safe ? tree : undefined;
}

/** Parsed JSON, or undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A relative path with forward slashes that names something below its folder: no `..`, `.`, empty part or NUL. */
export function isInnerPath(path: string): boolean {
  if (path === '' || path.includes('\0') || path.includes('\\')) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function isOrigin(value: unknown): boolean {
  return isFields(value) && isVoucher(value['voucher']) && typeof value['namespace'] === 'string';
}

function isVia(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every(isVoucher));
}

function isArtifacts(value: unknown): boolean {
  return isFields(value) && Object.values(value).every(isArtifact);
}

/** What is absent is so because the action lets its output be: anything else is damage. */
function hasAllOutputs({outputs: declared}: Fields, outputs: unknown): boolean {
  if (!isFields(declared) || !Object.values(declared).every(isFields)) return false;
  return isComplete({outputs: declared as Action['outputs']}, outputs as Fields);
}

function isNumbers(value: unknown): boolean {
  return isFields(value) && Object.values(value).every(Number.isFinite);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
