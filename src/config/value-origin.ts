import {isArray, isObject, isScalar, type Json} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import {memberOf, type Located} from './member-steps.ts';
import {parsePlaceholder, type Placeholder, type Step} from './placeholder.ts';
import type {Path} from './problem.ts';

/** A value that is wrong where it arrives, and where to begin looking for the place it comes from. */
export interface Sought {
  /** As a text: axes compare their values so. */
  readonly value: string;
  readonly path: Path;
  /** What axes are in the variant at fault; other axes may have any value. */
  readonly variant?: Variant;
}

/** Where a value stands; a name that `[*]` lists is a key. */
export interface ValueOrigin {
  readonly path: Path;
  readonly at: 'key' | 'value';
}

/**
 * Follows references backwards, through variables and axes, to the place where a value is written.
 *
 * @param document - the pipeline with profiles and overrides applied
 * @returns undefined when the value does not come through references
 */
export function originOfValue(
  document: Json | undefined,
  {value, path, variant = {}}: Sought,
): ValueOrigin | undefined {
  const root: Located = {value: document ?? null, path: []};
  const visited = new Set<string>();

  const search = (from: Located | undefined): ValueOrigin | undefined => {
    if (!from || visited.has(JSON.stringify(from.path))) return undefined;
    visited.add(JSON.stringify(from.path));
    if (isArray(from.value)) return firstOf(from.value, (_, index) => search(memberOf(from, String(index))));
    if (typeof from.value === 'string' && from.value.includes('${')) {
      return firstOf(placeholdersOf(from.value), (placeholder) => follow(placeholder, from.path));
    }
    return isScalar(from.value) && String(from.value) === value ? {path: from.path, at: 'value'} : undefined;
  };

  const follow = ({parts, steps}: Placeholder, at: Path): ValueOrigin | undefined => {
    const [space = '', axis = ''] = parts;
    if (space === 'matrix') return search(descend(root, ['nodes', String(at[1]), 'matrix', axis]));
    if (space !== 'vars') return search(descend(root, ['nodes', space, 'matrix', axis]));
    const start = descend(root, parts);
    if (!start) return undefined;
    const last = steps.at(-1);
    const holders = reach(start, last?.kind === 'all' ? steps.slice(0, -1) : steps, variant);
    if (last?.kind !== 'all') return firstOf(holders, search);
    return firstOf(holders, (holder) => {
      if (!isObject(holder.value)) return search(holder);
      const named = memberOf(holder, value);
      return named && {path: named.path, at: 'key'};
    });
  };

  const begin = descend(root, path);
  const found = begin && search(begin);
  return found && found.path !== begin.path ? found : undefined;
}

function placeholdersOf(text: string): readonly Placeholder[] {
  return [...text.matchAll(/(?<!\$)\$\{[^}]*\}/g)].flatMap((match) => {
    const parsed = parsePlaceholder(match[0], match.index);
    return parsed.ok ? [parsed.value] : [];
  });
}

function descend(from: Located, path: Path): Located | undefined {
  return path.reduce<Located | undefined>((at, part) => at && memberOf(at, String(part)), from);
}

/** Where steps may lead; members that are missing lead nowhere. */
function reach(from: Located, steps: readonly Step[], variant: Variant): readonly Located[] {
  return steps.reduce<readonly Located[]>(
    (found, step) => found.flatMap((holder) => membersBy(holder, step, variant)),
    [from],
  );
}

function membersBy(holder: Located, step: Step, variant: Variant): readonly Located[] {
  const {value} = holder;
  const name = step.kind === 'member' ? step.name : step.kind === 'axis' ? variant[step.axis]?.toString() : undefined;
  const names = name !== undefined ? [name] : isObject(value) || isArray(value) ? Object.keys(value) : [];
  return names.flatMap((each) => memberOf(holder, each) ?? []);
}

function firstOf<T>(
  items: readonly T[],
  find: (item: T, index: number) => ValueOrigin | undefined,
): ValueOrigin | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found) return found;
  }
  return undefined;
}
