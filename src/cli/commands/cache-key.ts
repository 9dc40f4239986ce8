import {closeSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, writeSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {keyIdOf, makeSigningKey, publicLineOf} from '../../remote/key-pair.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {userAtHost} from '../remote/builder.ts';
import {readUserFile, userFile} from '../remote/user-file.ts';

/**
 * Makes a key that signs results, and prints its public half; of a key that is there already the public half alone. JSON:
 * `{file, made, name, publicKey, keyId}`.
 */
export async function cacheKeyCommand(context: Context, {out}: {readonly out?: string}): Promise<ExitCode> {
  const {io, globals} = context;
  const config = userFile(io.env);
  const file = out === undefined ? join(dirname(config), 'key.pem') : resolve(io.cwd, out);
  const found = readKey(file) ?? makeKey(file);
  if (!found.ok) return context.fail(found.error);
  const {publicKey, made} = found.value;
  const user = await readUserFile(io.env);
  const name = (user.ok ? user.value?.says.builder : undefined) ?? userAtHost();
  if (globals.json) {
    context.printJson({file, made, name, publicKey, keyId: keyIdOf(publicKey)});
    return exitCodes.done;
  }
  const place = relative(dirname(config), file);
  const shown = place.startsWith('..') ? file : place;
  if (made) {
    context.note(`new key in ${file}: who can read that file can sign as you`);
    context.note(`to sign with it, in ${config}: cache: {remote: {sign: {file: ${yamlText(shown)}}}}`);
  } else {
    context.note(`${file} was there before, and stays as it is`);
  }
  context.note('for others to trust it, under `trust` and the name of a namespace:');
  context.print(`${yamlText(name)}: ${publicKey}`);
  return exitCodes.done;
}

interface Key {
  readonly publicKey: string;
  readonly made: boolean;
}

/** The key in a file; undefined when there is no file. */
function readKey(file: string): Result<Key> | undefined {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    return err([failure('remote-config', `${file} cannot be read: ${message}`)]);
  }
  const publicKey = publicLineOf(pem);
  if (publicKey !== undefined) return ok({publicKey, made: false});
  const message = `${file} is there, and holds no Ed25519 private key without a password; it is left as it is`;
  return err([failure('remote-config', message, {hint: 'name another file with --out'})]);
}

/** Never writes over a file, and leaves none behind when it cannot write all of it. */
function makeKey(file: string): Result<Key> {
  const pem = makeSigningKey();
  try {
    mkdirSync(dirname(file), {recursive: true, mode: 0o700});
    const handle = openSync(file, 'wx', 0o600);
    try {
      writeSync(handle, pem);
      fsyncSync(handle);
    } catch (error) {
      rmSync(file, {force: true});
      throw error;
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    // Somebody else made one in between.
    const other = code === 'EEXIST' ? readKey(file) : undefined;
    return other ?? err([failure('remote-config', `the key cannot be written: ${message}`)]);
  }
  return ok({publicKey: publicLineOf(pem) ?? '', made: true});
}

/** A text as YAML reads it back. */
function yamlText(text: string): string {
  return /^[\p{L}/][\p{L}\p{N}@./_-]*$/u.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
