import {canonicalJson, isArray, isObject, isScalar, type Json} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import {scalarText} from '../core/pipeline.ts';
import type {Path} from './problem.ts';
import type {Step} from './placeholder.ts';

/** A value inside `vars` and the place where it stands. */
export interface Located {
  readonly value: Json;
  /** Begins with `vars`. */
  readonly path: Path;
}

/** Where steps lead: to one value, to one for each member (`[*]`), or to members that are not there. */
export type Walk = {readonly found: readonly Located[]} | {readonly missing: Missing};

/** A step that some values cannot go. */
export interface Missing {
  readonly step: Step;
  /** Values that lack the member. */
  readonly holders: readonly Located[];
  /** Others have it. */
  readonly others: boolean;
  /** The member; absent for `[*]`, whose holders are neither lists nor mappings. */
  readonly name?: string;
}

/** Follows the steps from a value for one variant. Keys and axis values are compared as texts: 1 finds '1'. */
export function walk(from: Located, steps: readonly Step[], variant: Variant): Walk {
  let found: readonly Located[] = [from];
  for (const step of steps) {
    const next: Located[] = [];
    const holders: Located[] = [];
    const name = step.kind === 'all' ? undefined : step.kind === 'axis' ? String(variant[step.axis]) : step.name;
    for (const holder of found) {
      const member = name === undefined ? undefined : memberOf(holder, name);
      const members =
        name !== undefined ? member && [member] : step === steps.at(-1) ? standingFor(holder) : membersOf(holder);
      if (members === undefined) holders.push(holder);
      else for (const each of members) next.push(each);
    }
    if (holders.length > 0) {
      const others = holders.length < found.length;
      return {missing: {step, holders, others, ...(name === undefined ? {} : {name})}};
    }
    found = next;
  }
  return {found};
}

/** Whether the steps stand for a list of values. */
export function standForList(steps: readonly Step[]): boolean {
  return steps.some(({kind}) => kind === 'all');
}

/** The different values in order of first appearance; 1 and '1' are the same, as in an axis. */
export function distinctValues(found: readonly Located[]): readonly Json[] {
  const values = new Map<string, Json>();
  for (const {value} of found) {
    const key = isScalar(value) ? scalarText(value) : ` ${canonicalJson(value)}`;
    if (!values.has(key)) values.set(key, value);
  }
  return [...values.values()];
}

/** A member of a mapping by its key, or of a list by its position. */
export function memberOf({value, path}: Located, name: string): Located | undefined {
  const key = isArray(value) && /^\d+$/.test(name) ? Number(name) : name;
  const member =
    isArray(value) && typeof key === 'number'
      ? value[key]
      : isObject(value) && Object.hasOwn(value, name)
        ? value[name]
        : undefined;
  return member === undefined ? undefined : {value: member, path: [...path, key]};
}

/** What `[*]` at the end of a reference stands for: the items of a list, the names of a mapping's members. */
function standingFor(holder: Located): readonly Located[] | undefined {
  if (!isObject(holder.value)) return membersOf(holder);
  return Object.keys(holder.value).map((name) => ({value: name, path: [...holder.path, name]}));
}

/** All members in the order written; keys that are whole numbers come first, as in every JavaScript object. */
function membersOf({value, path}: Located): readonly Located[] | undefined {
  if (isArray(value)) return value.map((member, index) => ({value: member, path: [...path, index]}));
  if (!isObject(value)) return undefined;
  return Object.entries(value).map(([key, member]) => ({value: member ?? null, path: [...path, key]}));
}
