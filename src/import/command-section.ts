import {posix} from 'node:path';
import type {JsonObject} from '../core/json.ts';
import type {DvcStage} from './dvc-stages.ts';

const plainPattern = /^[A-Za-z0-9_./:=@%+, -]+$/;
/** What a shell does itself. */
const builtins = new Set([
  'cd',
  'export',
  'source',
  '.',
  'set',
  'eval',
  'exec',
  'test',
  'ulimit',
  'umask',
  'true',
  'type',
]);

/** `command`, or `shell` and `script` where a shell is needed. `marker` is a file to write at the end. */
export function commandOf(stage: DvcStage, inputs: readonly string[], marker: string | undefined): JsonObject {
  const {commands, folder} = stage;
  const [only] = commands;
  const programs = inputs.filter((path) => commands.some(({plain}) => startsProgram(plain, path, folder)));
  if (commands.length === 1 && only && folder === '.' && programs.length === 0 && marker === undefined) {
    const words = asWords(only.plain, only.kept);
    if (words) return {command: words};
  }
  const several = commands.length > 1;
  const quoted =
    plainPattern.test(folder) && !folder.includes(' ') ? folder : `'${folder.replaceAll("'", String.raw`'\''`)}'`;
  const lines = [
    ...programs.map((path) => `chmod +x ${path}`),
    ...(folder === '.' ? [] : [`${marker === undefined ? '' : 'top=$PWD; '}mkdir -p ${quoted} && cd ${quoted}`]),
    // DVC runs each command of a list in a shell of its own.
    ...commands.map(({plain, kept}) => (several && changesShell(plain) ? `(${kept.trim()})` : kept.trim())),
    ...(marker === undefined ? [] : [folder === '.' ? `echo done > ${marker}` : `echo done > "$top/${marker}"`]),
  ];
  return {shell: 'bash -e', script: lines.length === 1 ? (lines[0] ?? '') : `${lines.join('\n')}\n`};
}

function asWords(plain: string, kept: string): readonly string[] | undefined {
  const text = plain.trim();
  if (!plainPattern.test(text)) return undefined;
  const words = kept.trim().split(/ +/);
  const first = words[0] ?? '';
  // A value with a space in it would be several words.
  if (words.length !== text.split(/ +/).length || first.includes('=') || builtins.has(first)) return undefined;
  return words;
}

/** Inputs are laid without the permission to be run. */
function startsProgram(command: string, input: string, folder: string): boolean {
  return command.split(/[\n;&|]+/).some((part) => {
    const word = part.trim().split(/\s+/)[0] ?? '';
    return word.includes('/') && posix.join(folder, word) === input;
  });
}

function changesShell(command: string): boolean {
  return /(^|[\s;&|])(cd|export|source|set|ulimit|umask|exit|\.)\s|^\s*\w+=/.test(command);
}
