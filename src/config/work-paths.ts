import type {Path, Problem} from './problem.ts';

/**
 * Checks the paths that a command leaves its outputs at: relative, inside the folder, no two the same or one inside the
 * other, none in the way of an input. Case does not tell paths apart, so that a pipeline runs on every file system.
 */
export function checkWorkPaths(
  ports: readonly string[],
  outputs: readonly (readonly [name: string, path: string])[],
  placeOf: (output: string) => Path,
  report: (problem: Problem) => void,
): void {
  const inputs = new Map(ports.map((port) => [port.toLowerCase(), port]));
  const taken = new Map<string, string>();
  const sound: (readonly [string, string])[] = [];
  for (const [name, path] of outputs) {
    const at = {path: placeOf(name), at: 'value', traced: true} as const;
    const why = faultOf(path);
    if (why) {
      report({code: 'bad-value', message: `output \`${name}\`: the path \`${path}\` ${why}`, hint: pathHint, ...at});
      continue;
    }
    const key = path.toLowerCase();
    const input = inputs.get(key.split('/')[0] ?? '');
    const other = taken.get(key);
    const clash = (message: string) => report({code: 'duplicate-output-path', message, ...at});
    if (input !== undefined) clash(`output \`${name}\` would be written over the input \`${input}\``);
    else if (other !== undefined) clash(`outputs \`${other}\` and \`${name}\` have the same path \`${path}\``);
    else sound.push([name, path]);
    taken.set(key, name);
  }
  for (const [name, path] of sound) {
    const parts = path.toLowerCase().split('/');
    for (let length = 1; length < parts.length; length++) {
      const outer = taken.get(parts.slice(0, length).join('/'));
      if (outer === undefined) continue;
      const message = `output \`${name}\` lies inside output \`${outer}\``;
      report({code: 'duplicate-output-path', message, path: placeOf(name), at: 'value', traced: true});
    }
  }
}

const pathHint = 'an output path is relative to the working directory of the command, such as `plots/roc.svg`';

/** Why a path cannot be an output's; undefined when it can. */
export function faultOf(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is not relative';
  if (path.includes('\\')) return 'has a backslash; write `/`';
  if (path.includes('\0')) return 'has a zero byte';
  const parts = path.split('/');
  if (parts.includes('..')) return 'leads out of the folder';
  if (parts.includes('.') || parts.includes('')) return 'has an empty or `.` part';
  return undefined;
}
