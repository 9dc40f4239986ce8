import type {Globals} from './context.ts';

/** What to append to a command that is to mean the same pipeline, profile and lock as this one: ` --profile small`. */
export function sameOptions({
  file,
  directory,
  profile,
  lock,
}: Pick<Globals, 'file' | 'directory' | 'profile' | 'lock'>): string {
  const options = [
    ...(directory === undefined ? [] : ['-C', directory]),
    ...(file === undefined ? [] : ['-f', file]),
    ...profile.flatMap((name) => ['--profile', name]),
    ...(lock === undefined ? [] : ['--lock', lock]),
  ];
  return options.map((each) => ` ${shellWord(each)}`).join('');
}

/** A word as a shell reads it. */
export function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
