import type {Path, Problem} from './problem.ts';

/**
 * Checks where a command's inputs lie and where it leaves its outputs: relative, inside the folder, no two the same or
 * one inside the other. Case does not tell paths apart, so that a pipeline runs on every file system.
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
    const input = inputs.get(key) ?? firstOuter(key, inputs);
    const other = taken.get(key);
    const clash = (message: string) => report({code: 'duplicate-output-path', message, ...at});
    if (input !== undefined) clash(`output \`${name}\` would be written over the input \`${input}\``);
    else if (other !== undefined) clash(`outputs \`${other}\` and \`${name}\` have the same path \`${path}\``);
    else sound.push([name, path]);
    taken.set(key, name);
  }
  for (const [name, path] of sound) {
    const outer = firstOuter(path.toLowerCase(), taken);
    if (outer === undefined) continue;
    const message = `output \`${name}\` lies inside output \`${outer}\``;
    report({code: 'duplicate-output-path', message, path: placeOf(name), at: 'value', traced: true});
  }
  for (const port of ports) {
    const outer = firstOuter(port.toLowerCase(), taken);
    if (outer === undefined) continue;
    const message = `the input \`${port}\` lies inside output \`${outer}\``;
    report({code: 'duplicate-output-path', message, path: placeOf(outer), at: 'value', traced: true});
  }
}

/** Reports inputs of a command that have the same path, or lie one inside the other. */
export function checkInputPaths(
  ports: readonly string[],
  placeOf: (port: string) => Path,
  report: (problem: Problem) => void,
): void {
  const taken = new Map<string, string>();
  for (const port of ports) {
    const same = taken.get(port.toLowerCase());
    // The very same name is `each` and `inputs` at once, which has its own message.
    if (same !== undefined && same !== port) {
      const message = `inputs \`${same}\` and \`${port}\` have the same path where case does not matter`;
      report({code: 'bad-value', message, path: placeOf(port), at: 'key'});
    }
    taken.set(port.toLowerCase(), port);
  }
  for (const port of ports) {
    const outer = firstOuter(port.toLowerCase(), taken);
    if (outer === undefined) continue;
    const message = `input \`${port}\` lies inside input \`${outer}\``;
    report({code: 'bad-value', message, path: placeOf(port), at: 'key'});
  }
}

/** What is known of the folders around a path; undefined when it lies in none of them. */
function firstOuter(path: string, known: ReadonlyMap<string, string>): string | undefined {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const outer = known.get(path.slice(0, slash));
    if (outer !== undefined) return outer;
  }
  return undefined;
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
