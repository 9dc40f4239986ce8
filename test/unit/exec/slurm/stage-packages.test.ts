import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {packagesOf, withPackages} from '../../../../src/exec/slurm/stage-packages.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mixdown-packages-'));
});
afterEach(() => rmSync(root, {recursive: true, force: true}));

/** Installs a package and returns its folder. */
function install(place: string, name: string, version: string): string {
  const folder = join(root, place, 'node_modules', name);
  mkdirSync(folder, {recursive: true});
  writeFileSync(join(folder, 'package.json'), JSON.stringify({name, version}));
  return folder;
}

const importing = (...files: readonly string[]): string =>
  files.map((file) => `import "${pathToFileURL(file).href}";\n`).join('');

it('finds the packages that a compiled stage imports, with scopes, spaces and folders within folders', () => {
  const own = install('my project', 'own', '1.0.0');
  const scoped = install('my project', '@tensor/flow', '2.0.0');
  const inner = install('my project/node_modules/own', 'inner', '3.0.0');
  const text = importing(join(scoped, 'dist/a.js'), join(inner, 'b.js'), join(own, 'c.js'), join(own, 'c.js'));
  expect(packagesOf(`${text}import 'node:fs';\nconst s = "file:///x.js";\n`)).toMatchObject([
    {name: '@tensor/flow', version: '2.0.0', path: 'dist/a.js'},
    {name: 'own', version: '1.0.0', path: 'c.js'},
    {name: 'inner', version: '3.0.0', path: 'b.js'},
  ]);
});

it('puts in the packages of this machine: beside a folder, or above it', () => {
  const file = join(install('there', 'own', '1.0.0'), 'dist/own.js');
  const text = importing(file);
  const here = install('here', 'own', '1.0.0');
  expect(withPackages(text, packagesOf(text), join(root, 'here/node_modules/mixdown'))).toEqual({
    ok: true,
    value: importing(join(here, 'dist/own.js')),
  });
});

it('takes no other version, and says what to install', () => {
  const text = importing(join(install('there', 'own', '1.0.0'), 'own.js'));
  const packages = packagesOf(text);
  const from = join(root, 'here');
  expect(withPackages(text, packages, from)).toMatchObject({
    ok: false,
    error: {
      code: 'no-executor',
      message: 'the compute node lacks the npm package own; the stage imports own 1.0.0',
      hint: expect.stringContaining(
        `own@1.0.0 on the compute nodes, beside mixdown: in a node_modules folder at or above ${from}`,
      ),
    },
  });
  install('here', 'own', '1.0.1');
  expect(withPackages(text, packages, from)).toMatchObject({
    error: {message: 'the compute node has own 1.0.1; the stage imports own 1.0.0'},
  });
});
