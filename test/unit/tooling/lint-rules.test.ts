import {execFile} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';

/** A folder to plant a file in, the file's code, and the rules that must reject it (none: it must pass). */
type Case = readonly [folder: string, code: string, ...rules: string[]];

const IMPORTS = 'eslint(no-restricted-imports)';
const PROPERTIES = 'eslint(no-restricted-properties)';

const imports: readonly Case[] = [
  ['src/core', "import './neighbour.ts';"],
  ['src/core', "import 'node:crypto';"],
  ['src/core', "import 'node:fs';", IMPORTS],
  ['src/core', "import 'yaml';", IMPORTS],
  ['src/core', "export * from '../engine/neighbour.ts';", IMPORTS],
  ['src/core', "import type {Neighbour} from '../store/neighbour.ts';\nexport type A = Neighbour;", IMPORTS],
  ['src/core', "await import('yaml');", IMPORTS],

  ['src/engine', "import './neighbour.ts';\nimport '../core/neighbour.ts';"],
  ['src/engine', "import '../store/neighbour.ts';", IMPORTS],
  ['src/engine', "import '../stage-api.ts';", IMPORTS],
  ['src/engine', "import 'node:fs';", IMPORTS],
  ['src/engine', "import 'p-limit';", IMPORTS],

  ['src/config', "import './neighbour.ts';\nimport '../core/neighbour.ts';\nimport 'yaml';\nimport 'node:fs';"],
  ['src/config', "import '../store/neighbour.ts';", IMPORTS],
  ['src/store', "import '../exec/neighbour.ts';", IMPORTS],
  ['src/exec', "import '../stage-api.ts';"],
  ['src/exec', "import '../config/neighbour.ts';", IMPORTS],
  ['src/exec', "await import('../store/neighbour.ts');", IMPORTS],
  ['src/remote', "import './neighbour.ts';\nimport '../core/neighbour.ts';\nimport 'p-limit';\nimport 'node:http';"],
  ['src/remote', "import '../store/neighbour.ts';", IMPORTS],
  ['src/cli', "import '../remote/neighbour.ts';"],
  ['src/store', "import '../remote/neighbour.ts';", IMPORTS],
  ['src/report', "import '../engine/neighbour.ts';", IMPORTS],
  ['src/report', "import '../cli/neighbour.ts';", IMPORTS],
  ['src/pins', "import './neighbour.ts';\nimport '../core/neighbour.ts';\nimport 'node:fs';"],
  ['src/pins', "import '../report/neighbour.ts';", IMPORTS],
  ['src/documents', "import './neighbour.ts';\nimport '../core/neighbour.ts';"],
  ['src/documents', "import '../report/neighbour.ts';", IMPORTS],
  ['src/report', "import '../documents/neighbour.ts';", IMPORTS],
  ['src/report', "import '../pins/neighbour.ts';", IMPORTS],
  ['src/store', "import '../index.ts';", IMPORTS],
  ['src/store/deep', "import '../../core/neighbour.ts';\nimport '../neighbour.ts';"],
  ['src/store/deep', "import '../../report/neighbour.ts';", IMPORTS],

  [
    'src/page/components',
    "import './neighbour.tsx';\nimport '../model/neighbour.ts';\nimport 'preact';\nimport 'preact/hooks';\nimport 'uplot';",
  ],
  ['src/page/model', "import '@dagrejs/dagre';\nimport '../../report/number-text.ts';"],
  ['src/page/model', "import type {Neighbour} from '../../core/neighbour.ts';\nexport type A = Neighbour;"],
  ['src/page/model', "import type {Neighbour} from '../../report/neighbour.ts';\nexport type A = Neighbour;"],
  ['src/page', "import type {Neighbour} from '../report/neighbour.ts';\nexport type A = Neighbour;"],
  [
    'src/page/model',
    "import {neighbour} from '../../core/neighbour.ts';\nexport const a: unknown = neighbour;",
    IMPORTS,
  ],
  ['src/page', "import {neighbour} from '../core/neighbour.ts';\nexport const a: unknown = neighbour;", IMPORTS],
  ['src/page/model', "import {live} from '../../report/live.ts';\nexport const a: unknown = live;", IMPORTS],
  ['src/page/model', "import type {Neighbour} from '../../store/neighbour.ts';\nexport type A = Neighbour;", IMPORTS],
  ['src/page/model', "import '../../index.ts';", IMPORTS],
  ['src/page/components', "import 'node:fs';", IMPORTS],
  ['src/page/components', "import 'yaml';", IMPORTS],
  ['src/page/components', "await import('preact/compat');", IMPORTS],
  ['src/report', "import '../page/neighbour.ts';", IMPORTS],
  ['src/cli', "import '../page/main.tsx';", IMPORTS],

  ['src/cli', "import '../core/neighbour.ts';\nimport '../engine/neighbour.ts';\nimport '../store/neighbour.ts';"],
  ['src/cli', "import '../../stages/neighbour.ts';", IMPORTS],
  ['src/cli/commands', "import '../../../stages/neighbour.ts';", IMPORTS],
  ['src/cli', "import '@tensorflow/tfjs-core';", IMPORTS],
  ['src/cli', "await import('@tensorflow/tfjs-node-gpu');", IMPORTS],
  ['src/cli', "import 'mixdown/stage';", IMPORTS],
  ['src/exec', "import '@tensorflow/tfjs-core';", IMPORTS],
  ['src/config', "import '../../test/support/neighbour.ts';", IMPORTS],

  [
    'stages',
    "import 'mixdown/stage';\nimport './lib/neighbour.ts';\nimport 'node:fs';\nimport '@tensorflow/tfjs-core';",
  ],
  ['stages', "import 'mixdown';", IMPORTS],
  ['stages', "import 'mixdown/package.json';", IMPORTS],
  ['stages', "import './neighbour.ts';", IMPORTS],
  ['stages', "import '../src/core/neighbour.ts';", IMPORTS],
  ['stages/lib', "import './neighbour.ts';\nimport 'mixdown/stage';\nimport '@tensorflow/tfjs-core';"],
  ['stages/lib', "import '../neighbour.ts';", IMPORTS],
  ['stages/lib', "import '../../src/core/neighbour.ts';", IMPORTS],
  ['stages/lib/deep', "import './neighbour.ts';\nimport '../neighbour.ts';\nimport 'mixdown/stage';"],
  ['stages/lib/deep', "import '../../neighbour.ts';", IMPORTS],

  ['src/store', "import 'fs';", 'unicorn(prefer-node-protocol)'],
  ['src/core', "type A = import('yaml').Document;\nexport type B = A;", 'typescript(consistent-type-imports)'],
  ['src/store', "export const a: unknown = require('yaml');", 'import(no-commonjs)', 'typescript(no-require-imports)'],
];

const ambient: readonly Case[] = [
  ['src/report', 'export const a = process.env;', 'node(no-process-env)'],
  ['src/report', 'export const a = Date.now();', PROPERTIES],
  ['src/engine', 'export const a = Math.random();', PROPERTIES],
  ['src/core', "console.log('a');", 'eslint(no-console)'],
  ['src/store', 'export const a = [Date.now(), process.env];'],
  ['src/store', 'export const a = Math.random();', PROPERTIES],
  ['src/exec', "console.log('a');", 'eslint(no-console)'],
  ['src/exec', 'process.exit();', 'unicorn(no-process-exit)'],
  ['src/cli', 'console.log(Date.now(), process.env);\nprocess.exit();'],
  ['src/page', 'export const a = Math.random();', PROPERTIES],
  ['src/page', 'export const a = Buffer.alloc(1);', 'eslint(no-restricted-globals)'],
  ['src/page', "await fetch('a');", 'eslint(no-restricted-globals)'],
  ['stages', 'export const a = Math.random();', PROPERTIES],
  ['stages/lib', 'export const a = Date.now();', PROPERTIES],
  ['stages', 'export const a = process.env;', 'node(no-process-env)'],
];

const typed: readonly Case[] = [
  ['src/core', 'async function a(): Promise<void> {}\na();', 'typescript(no-floating-promises)'],
  ['src/core', 'export const a = (b: any): unknown => b;', 'typescript(no-explicit-any)'],
  [
    'src/core',
    "export function a(b: 'c' | 'd'): number {\n  switch (b) {\n    case 'c':\n      return 1;\n  }\n  return 2;\n}",
    'typescript(switch-exhaustiveness-check)',
  ],
  ['src/core', "import './ring.ts';", 'import(no-cycle)'],
];

const cases = [...imports, ...ambient, ...typed];
const folder = mkdtempSync(join(tmpdir(), 'mixdown-lint-'));
const rejected = new Map<string, string[]>();

beforeAll(async () => {
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'src/page/tsconfig.json']) cpSync(file, join(folder, file));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  cases.forEach((entry, index) => plant(fileOf(entry, index), entry[1]));
  plant('src/core/ring.ts', `import './${ringIndex()}';`);
  for (const diagnostic of await lint()) {
    const rules = rejected.get(diagnostic.filename) ?? [];
    rejected.set(diagnostic.filename, [...rules, diagnostic.code]);
  }
});

afterAll(() => rmSync(folder, {recursive: true}));

describe.each([
  ['the import star', imports],
  ['ambient state', ambient],
  ['typed rules', typed],
] as const)('%s', (_, group) => {
  it.each(group.map((entry) => [...describeCase(entry), entry] as const))(
    '%s %s: %s',
    (_verdict, _where, _code, entry) => {
      const [, , ...rules] = entry;
      const found = new Set(rejected.get(fileOf(entry, cases.indexOf(entry))));
      expect([...found].toSorted()).toEqual(rules.toSorted());
    },
  );
});

function describeCase([where, code, ...rules]: Case): [string, string, string] {
  return [rules.length > 0 ? 'rejects in' : 'accepts in', where, code.replaceAll('\n', ' ')];
}

function fileOf([where]: Case, index: number): string {
  return `${where}/case-${index}.ts`;
}

function ringIndex(): string {
  return `case-${cases.findIndex(([, code]) => code.includes('ring.ts'))}.ts`;
}

function plant(file: string, code: string): void {
  mkdirSync(dirname(join(folder, file)), {recursive: true});
  writeFileSync(join(folder, file), `${code}\n`);
}

async function lint(): Promise<readonly {readonly filename: string; readonly code: string}[]> {
  const run = promisify(execFile)('node_modules/.bin/oxlint', ['--format', 'json'], {cwd: folder, maxBuffer: 2 ** 24});
  const {stdout} = await run.catch((error: unknown) => error as {stdout: string});
  return (JSON.parse(stdout) as {diagnostics: {filename: string; code: string}[]}).diagnostics;
}
