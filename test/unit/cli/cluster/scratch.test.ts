import {existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {closeScratch, openScratch, type Scratch} from '../../../../src/cli/cluster/scratch.ts';
import {tempFolder} from '../../../support/store-fixture.ts';

const name = `mixdown-${process.getuid!()}`;

function opened(base: string): Scratch {
  const scratch = openScratch(base);
  if (!scratch.ok) throw new Error(scratch.error[0]!.message);
  return scratch.value;
}

it('is shared by all tasks of a user, and for nobody else to look into', async () => {
  const base = join(tempFolder(), 'not there yet');
  for (let task = 0; task < 2; task++) {
    const scratch = opened(base);
    expect(scratch).toMatchObject({passing: false, store: {dir: join(base, name)}});
    expect(lstatSync(join(base, name)).mode & 0o777).toBe(0o700);
    await closeScratch(scratch, Date.now());
  }
  expect(readdirSync(base)).toEqual([name]);
});

it.each<[string, (path: string, elsewhere: string) => void]>([
  ['a file', (path) => writeFileSync(path, '')],
  ['a link to a folder', (path, elsewhere) => symlinkSync(elsewhere, path)],
  ['a link to nothing', (path, elsewhere) => symlinkSync(join(elsewhere, 'nothing'), path)],
  ['a folder that others may write to', (path) => mkdirSync(path, {mode: 0o777})],
])('is one of its own, for the time of the task, where %s has its name', async (_, take) => {
  const base = tempFolder();
  const elsewhere = tempFolder();
  take(join(base, name), elsewhere);
  const scratch = opened(base);
  await scratch.store.cas.putBytes('a secret');
  expect(scratch.passing).toBe(true);
  expect(lstatSync(scratch.store.dir).mode & 0o777).toBe(0o700);
  await closeScratch(scratch, Date.now());
  expect(readdirSync(base)).toEqual([name]);
  expect(readdirSync(elsewhere)).toEqual([]);
});

it('says so where there is no place for it', () => {
  const base = join(tempFolder(), 'file');
  writeFileSync(base, '');
  expect(openScratch(base)).toMatchObject({ok: false, error: [{code: 'cache-unwritable'}]});
  expect(existsSync(`${base}/${name}`)).toBe(false);
});
