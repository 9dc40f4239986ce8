import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {runProgram} from '../../../src/cli/program.ts';
import {fakeIo} from '../../support/fake-io.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mixdown-cli-'));
});
afterEach(() => rmSync(root, {recursive: true, force: true}));

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function mixdown(...argv: string[]): Promise<Said> {
  const io = fakeIo(root, argv);
  const code = await runProgram(io, '1.2.3');
  return {code, out: io.out(), err: io.err()};
}

describe('usage', () => {
  test('without arguments it prints help, as --help does', async () => {
    const bare = await mixdown();
    const help = await mixdown('--help');
    expect(bare).toMatchObject({code: 0, err: ''});
    expect(help).toMatchObject({code: 0, err: ''});
    expect(help.out.startsWith(bare.out.slice(0, 500))).toBe(true);
    expect(help.out).toContain('Examples\n  mixdown run ');
    expect(help.out).not.toContain('__names');
  });

  test('each command has help with its options and the global ones', async () => {
    for (const command of [
      'run',
      'plan',
      'status',
      'explain',
      'graph',
      'stages',
      'validate',
      'show',
      'metrics',
      'diff',
      'runs',
      'gc',
    ]) {
      const {code, out} = await mixdown(command, '--help');
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`^Usage:? mixdown ${command} `));
      expect(out).toContain('--profile <name>');
    }
  });

  test('prints its version', async () => {
    expect(await mixdown('--version')).toEqual({code: 0, out: '1.2.3\n', err: ''});
  });

  test.each([
    [['rum'], "error: unknown command 'rum'\n(Did you mean run?)\n"],
    [['run', '--forse'], "error: unknown option '--forse'\n(Did you mean --force?)\n"],
    [['run', '-j', '0'], "error: option '-j, --jobs <n>' argument '0' is invalid. It must be at least 1.\n"],
    [['run', '-j', 'two'], "error: option '-j, --jobs <n>' argument 'two' is invalid. It must be a whole number.\n"],
    [['explain'], "error: missing required argument 'node'\n"],
    [
      ['run', '--on-failure', 'panic'],
      "error: option '--on-failure <mode>' argument 'panic' is invalid. Allowed choices are stop, continue, kill.\n",
    ],
  ])('%j is refused with exit code 2', async (argv, err) => {
    expect(await mixdown(...argv)).toEqual({code: 2, out: '', err});
  });
});

describe('finding the project', () => {
  test('says what to do when there is none', async () => {
    expect(await mixdown('run')).toEqual({
      code: 2,
      out: '',
      err:
        `error: there is no pipeline.yaml in ${root} or above it [pipeline-missing]\n` +
        '  hint: go to a project, name one with -C or -f, or start one with `mixdown init`\n',
    });
    expect((await mixdown('run', '-f', 'x.yaml')).err).toBe(
      'error: there is no file x.yaml [pipeline-missing]\n  hint: check -f/--file\n',
    );
    expect((await mixdown('run', '-C', 'nowhere')).err).toBe('error: -C nowhere: there is no such folder [usage]\n');
  });

  test('looks upwards', async () => {
    writeFileSync(join(root, 'pipeline.yaml'), 'version: 1\nnodes: {a: {command: [touch, a], outputs: {a: a}}}\n');
    mkdirSync(join(root, 'deep/er'), {recursive: true});
    const io = fakeIo(join(root, 'deep/er'), ['validate', '--json']);
    expect(await runProgram(io, '0')).toBe(0);
    expect(JSON.parse(io.out())).toEqual({valid: true, nodes: 1});
  });
});

describe('init', () => {
  test('writes a project that is well, and never overwrites', async () => {
    const first = await mixdown('init');
    expect(first).toEqual({
      code: 0,
      out: 'wrote pipeline.yaml, data/words.txt, stages/long-words.ts, .gitignore\nnext: mixdown run\n',
      err: '',
    });
    expect(await mixdown('validate')).toEqual({code: 0, out: 'pipeline.yaml is well: 2 nodes\n', err: ''});
    writeFileSync(join(root, 'pipeline.yaml'), 'mine');
    rmSync(join(root, 'data'), {recursive: true});
    expect(await mixdown('init')).toEqual({
      code: 2,
      out: '',
      err:
        'error: pipeline.yaml and stages/long-words.ts are here already [usage]\n' +
        '  hint: nothing was written; start in an empty folder, or name one with -C\n',
    });
    expect(readFileSync(join(root, 'pipeline.yaml'), 'utf8')).toBe('mine');
  });
});

describe('completion', () => {
  test('the bash script completes commands, options and names', async () => {
    const {out} = await mixdown('completion', 'bash');
    const file = join(root, 'completion.bash');
    writeFileSync(file, out);
    const complete = (...words: string[]): string[] => {
      const script = `
        mixdown() { printf 'train\\ntables\\n'; }
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mixdown; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', script, 'bash', file, ...words], {encoding: 'utf8'})
        .trim()
        .split('\n');
    };
    expect(complete('mixdown', 'st')).toEqual(['status', 'stages']);
    expect(complete('mixdown', 'run', 't')).toEqual(['train', 'tables']);
    expect(complete('mixdown', 'run', '--on')).toEqual(['--on-failure']);
    expect(complete('mixdown', '--json', 'graph', '--ex')).toEqual(['--expand']);
    expect(complete('mixdown', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(complete('mixdown', '--js')).toEqual(['--json']);
    expect(complete('mixdown', 'ci', '')).toEqual(['init']);
    expect(complete('mixdown', 'cache', 's')).toEqual(['stat']);
    expect(complete('mixdown', '--json', 'cache', 'pu')).toEqual(['push', 'pull']);
    expect(complete('mixdown', 'cache', 'pull', 't')).toEqual(['train', 'tables']);
    expect(complete('mixdown', 'cache', 'pull', 'tables', 'tr')).toEqual(['train']);
    expect(complete('mixdown', 'cache', 'key', '--o')).toEqual(['--out']);
    expect(complete('mixdown', 'clean', '--al')).toEqual(['--all']);
  });

  test('names are nodes and groups, and nothing when the pipeline is broken', async () => {
    await mixdown('init');
    expect((await mixdown('__names')).out).toBe('long-words\ncount\ndefault\n');
    writeFileSync(join(root, 'pipeline.yaml'), 'version: [');
    expect(await mixdown('__names')).toEqual({code: 0, out: '', err: ''});
  });

  test('zsh and fish scripts name every command', async () => {
    for (const shell of ['zsh', 'fish']) {
      const {out} = await mixdown('completion', shell);
      for (const command of ['run', 'explain', 'doctor', 'push']) expect(out).toContain(command);
    }
  });

  test.runIf(spawnSync('zsh', ['-c', ':']).status === 0)(
    'the zsh script completes commands and subcommands',
    async () => {
      const {out} = await mixdown('completion', 'zsh');
      const file = join(root, '_mixdown');
      writeFileSync(file, out);
      const complete = (...words: string[]): string => {
        const script = `
        _describe() { print -l "commands:" "\${(@P)2}"; }
        _arguments() { print -l "arguments:" "$@"; }
        file=$1; shift; words=("$@"); CURRENT=$#; source $file`;
        return execFileSync('zsh', ['-fc', script, 'zsh', file, ...words], {encoding: 'utf8'});
      };
      expect(complete('mixdown', '')).toMatch(/^commands:\nrun:/);
      expect(complete('mixdown', 'cache', '')).toMatch(/^commands:\npush:/);
      expect(complete('mixdown', 'cache', 'pull', '')).toMatch(/^arguments:\n[^]*\*:node:_mixdown_names\n$/);
      expect(complete('mixdown', 'cache', 'key', '')).toContain('--out[');
      expect(complete('mixdown', 'ci', '')).toContain('1:what:(init)');
      expect(complete('mixdown', 'run', '')).toContain('--jobs[');
    },
  );
});

describe('clean --all', () => {
  test('asks, and deletes only after a yes', async () => {
    await mixdown('init');
    await mixdown('validate');
    const refused = await mixdown('clean', '--all');
    expect(refused).toMatchObject({
      code: 2,
      err: 'error: the cache is deleted only after a yes [usage]\n  hint: add --yes\n',
    });
    const no = fakeIo(root, ['clean', '--all'], {answer: 'n'});
    expect(await runProgram(no, '0')).toBe(0);
    expect(no.err()).toBe('nothing was deleted\n');
    const yes = fakeIo(root, ['clean', '--all'], {answer: 'y'});
    expect(await runProgram(yes, '0')).toBe(0);
    expect(yes.out()).toBe('removed cache\n');
  });

  test('refuses a folder that is no cache', async () => {
    await mixdown('init');
    mkdirSync(join(root, 'precious/failed/photos'), {recursive: true});
    const {code, err} = await mixdown('clean', '--all', '--yes');
    expect([code, err]).toEqual([0, '']);
    mkdirSync(join(root, 'precious/photos'));
    const again = fakeIo(root, ['clean'], {env: {MIXDOWN_CACHE_DIR: 'precious'}});
    expect(await runProgram(again, '0')).toBe(2);
    expect(again.err()).toContain('precious does not look like a mixdown cache');
    expect(existsSync(join(root, 'precious/failed/photos'))).toBe(true);
  });
});

test('colours follow the terminal, NO_COLOR, FORCE_COLOR and --no-color', async () => {
  const escape = '\u001b[';
  const colours = async (argv: readonly string[], isTTY: boolean, env: Readonly<Record<string, string>>) => {
    const io = fakeIo(root, ['run', ...argv], {isTTY, env});
    await runProgram(io, '0');
    return io.err().includes(escape);
  };
  expect(await colours([], true, {})).toBe(true);
  expect(await colours([], false, {})).toBe(false);
  expect(await colours([], true, {NO_COLOR: '1'})).toBe(false);
  expect(await colours(['--no-color'], true, {})).toBe(false);
  expect(await colours([], false, {FORCE_COLOR: '1'})).toBe(true);
  expect(await colours([], true, {TERM: 'dumb'})).toBe(false);
});
