import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {sha256} from '../../../src/core/digest.ts';
import {collect} from '../../../src/remote/blobs.ts';
import {folderTransport} from '../../../src/remote/folder-transport.ts';
import type {Body, Transport} from '../../../src/remote/transport.ts';
import {tempFolder} from '../../support/store-fixture.ts';

const never = new AbortController().signal;
const key = sha256('x');
const body: Body = {
  size: 2,
  async *open() {
    yield Buffer.from('{}');
  },
};
const read = (transport: Transport): Promise<unknown> => transport.get('ac', key, 10, collect, never);

it('does not wait for a pipe that lies in place of an entry', async () => {
  const dir = tempFolder();
  mkdirSync(`${dir}/ac`);
  execFileSync('mkfifo', [`${dir}/ac/${key}`]);
  const transport = folderTransport(dir, () => 0);
  await expect(read(transport)).rejects.toMatchObject({trouble: 'wrong'});
  await expect(transport.has('ac', key, never)).rejects.toMatchObject({trouble: 'wrong'});
});

it('sweeps what was left behind, and nothing of a namespace that is called like the place for it', async () => {
  const dir = tempFolder();
  await folderTransport(dir, () => 0).put('tmp/ac', key, body, never);
  writeFileSync(`${dir}/tmp/left`, '');
  utimesSync(`${dir}/tmp/left`, 0, 0);
  utimesSync(`${dir}/tmp/ac`, 0, 0);
  await folderTransport(dir, () => Date.now()).put('ac', key, body, never);
  expect(readdirSync(`${dir}/tmp`)).toEqual(['ac']);
  expect(existsSync(`${dir}/tmp/ac/${key}`)).toBe(true);
});
