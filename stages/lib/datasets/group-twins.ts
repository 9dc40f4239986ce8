import {count, firstOf, type Problems} from '../problems.ts';
import {placeText} from './layout.ts';
import type {MatchedClip} from './match.ts';
import {findTwins} from './twins.ts';

export interface Grouped {
  readonly clips: readonly MatchedClip[];
  /** Clips that have a twin. */
  readonly duplicates: number;
}

/**
 * Gives clips of the same bytes one group, which takes in the groups they have. Twins of different labels are a problem, and
 * with `fail` any twins are.
 */
export function groupTwins(
  clips: readonly MatchedClip[],
  onTwins: 'group' | 'fail',
  signal: AbortSignal,
  problems: Problems,
  log: (text: string) => void,
): Grouped {
  const byPath = new Map(clips.map((clip) => [clip.file.path, clip]));
  const sets = findTwins(
    clips.map(({file}) => file),
    signal,
  ).map((files) => files.flatMap(({path}) => byPath.get(path) ?? []));
  if (sets.length === 0) return {clips, duplicates: 0};
  for (const twins of sets) {
    const labels = new Set(twins.map(({label}) => label));
    const names = twins.map((clip) => `\`${clip.file.path}\``).join(' and ');
    if (labels.size > 1) {
      const said = twins.map(({label, place}) => `\`${label}\` (${placeText(place)})`).join(', ');
      problems.add(`clips ${names} have the same bytes, but different labels: ${said}`, 'remove all but the right one');
    } else if (onTwins === 'fail') problems.add(`clips ${names} have the same bytes`, 'remove all but one');
  }
  const duplicates = sets.reduce((sum, twins) => sum + twins.length, 0);
  if (onTwins === 'group') {
    log(
      `${count(duplicates, 'clip')} with the bytes of another, kept together: ` +
        firstOf(sets.map((twins) => twins.map(({file}) => `\`${file.path}\``).join(' = '))),
    );
  }
  return {clips: mergeGroups(clips, sets), duplicates};
}

/** Every clip of the groups in a set of twins gets the group of the set's first clip that has one, or a new one. */
function mergeGroups(clips: readonly MatchedClip[], sets: readonly (readonly MatchedClip[])[]): readonly MatchedClip[] {
  const taken = new Set(clips.map(({group}) => group));
  const groupOf = new Map<string, string>();
  const renamed = new Map<string, string>();
  const current = (group: string): string => {
    let name = group;
    for (let next = renamed.get(name); next !== undefined; next = renamed.get(name)) name = next;
    return name;
  };
  for (const twins of sets) {
    const groups = twins.map(({group}) => current(group)).filter((group) => group !== '');
    const name = groups[0] ?? freeName(`same as ${twins[0]?.file.key}`, taken);
    for (const group of groups) if (group !== name) renamed.set(group, name);
    for (const {file} of twins) groupOf.set(file.path, name);
  }
  return clips.map((clip) => ({...clip, group: current(groupOf.get(clip.file.path) ?? clip.group)}));
}

function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  while (taken.has(name)) name += '=';
  taken.add(name);
  return name;
}
