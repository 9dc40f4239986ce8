import {execFileSync, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parse} from 'yaml';
import {describe, expect, it} from 'vitest';
import {runProgram} from '../../../../src/cli/program.ts';
import {readRemote} from '../../../../src/remote/settings.ts';
import {fakeIo} from '../../../support/fake-io.ts';
import {errorsOf} from '../../../support/schemas.ts';
import {tempFolder} from '../../../support/store-fixture.ts';

const openssl = spawnSync('openssl', ['version']).status === 0;

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A person with a home of their own. */
function person(): {readonly home: string; readonly key: (...args: string[]) => Promise<Said>} {
  const home = tempFolder();
  return {
    home,
    async key(...args) {
      const io = fakeIo(home, ['cache', 'key', ...args], {env: {HOME: home}});
      const code = await runProgram(io, '');
      return {code, out: io.out(), err: io.err()};
    },
  };
}

const defaultFile = '.config/mixdown/key.pem';
const publicOf = ({out}: Said): string => Object.values(parse(out) as Record<string, string>)[0] ?? '';
const secretLine = (path: string): string => readFileSync(path, 'utf8').split('\n')[1] ?? '';

describe('mixdown cache key', () => {
  it('makes a key that only its owner may read, and prints a line for `trust`', async () => {
    const {home, key} = person();
    const said = await key();
    const file = join(home, defaultFile);
    expect(said.code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, '.config/mixdown')).mode & 0o077).toBe(0);
    expect(said.err).toContain('sign: {file: key.pem}');
    const section = readRemote({trust: {main: parse(said.out)}}, 'there', new URL('file:///'));
    expect(section).toEqual({ok: true, value: {trust: {main: {[Object.keys(parse(said.out))[0]!]: publicOf(said)}}}});
    for (const text of [said.out, said.err]) expect(text).not.toContain(secretLine(file));
  });

  it('never writes over a key, and says its public half again', async () => {
    const {home, key} = person();
    const first = await key();
    const before = readFileSync(join(home, defaultFile));
    const second = await key();
    expect(second).toMatchObject({code: 0, out: first.out, err: expect.stringContaining('stays as it is')});
    expect(readFileSync(join(home, defaultFile))).toEqual(before);
    expect((await key('--out', 'other.pem')).out).not.toBe(first.out);
    expect(existsSync(join(home, 'other.pem'))).toBe(true);
  });

  it.each(['', 'notes', '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n'])(
    'leaves a file alone that is something else: %j',
    async (text) => {
      const {home, key} = person();
      writeFileSync(join(home, 'file'), text);
      const said = await key('--out', 'file');
      expect(said).toMatchObject({code: 2, out: '', err: expect.stringContaining('it is left as it is')});
      expect(said.err).not.toContain('hunter2');
      expect(readFileSync(join(home, 'file'), 'utf8')).toBe(text);
    },
  );

  it('says why it cannot write, and leaves nothing', async () => {
    const {home, key} = person();
    writeFileSync(join(home, 'file'), '');
    expect(await key('--out', 'file/key.pem')).toMatchObject({code: 2, out: ''});
    mkdirSync(join(home, 'folder'));
    expect(await key('--out', 'folder')).toMatchObject({code: 2, err: expect.stringContaining('cannot be read')});
  });

  it('calls it by the name that is configured', async () => {
    const {home, key} = person();
    mkdirSync(join(home, '.config/mixdown'), {recursive: true});
    writeFileSync(join(home, '.config/mixdown/config.yaml'), 'cache: {remote: {builder: "CI: main"}}');
    const said = await key();
    expect(Object.keys(parse(said.out))).toEqual(['CI: main']);
  });

  it('prints JSON', async () => {
    const {home, key} = person();
    const made = JSON.parse((await key('--json')).out) as {readonly publicKey: string};
    expect(errorsOf('cache', made, 'key')).toEqual([]);
    expect(made).toMatchObject({
      file: join(home, defaultFile),
      made: true,
      keyId: createHash('sha256').update(Buffer.from(made.publicKey, 'base64')).digest('hex'),
    });
    const again = JSON.parse((await key('--json')).out) as object;
    expect(again).toEqual({...made, made: false});
  });

  it.runIf(openssl)('agrees with openssl, both ways', async () => {
    const {home, key} = person();
    const publicBody = (file: string): string =>
      execFileSync('openssl', ['pkey', '-in', join(home, file), '-pubout'], {encoding: 'utf8'}).split('\n')[1] ?? '';
    expect(publicOf(await key())).toBe(publicBody(defaultFile));
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', join(home, 'theirs.pem')]);
    expect(publicOf(await key('--out', 'theirs.pem'))).toBe(publicBody('theirs.pem'));
  });
});
