import {readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {readRemote} from '../../remote/settings.ts';
import type {Io} from '../io.ts';
import type {Voice} from './combine.ts';

/** What the user's configuration says of the remote cache; undefined when it says nothing. */
export async function readUserFile(env: Io['env']): Promise<Result<Voice | undefined>> {
  const file = userFile(env);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? ok(undefined) : err([failure('remote-config', `${file} cannot be read: ${message}`)]);
  }
  const {readUserConfig} = await import('../../config/user-config.ts');
  const config = await readUserConfig(text, file);
  if (!config.ok) return config;
  const {remote, explain} = config.value;
  if (remote === undefined) return ok(undefined);
  const section = readRemote(remote, file, pathToFileURL(`${dirname(file)}/`));
  if (section.ok) return ok({name: file, says: section.value});
  // With the line, where a schema can tell it.
  const placed = await explain();
  return placed.length > 0 ? err(placed) : section;
}

/** By the XDG base directory specification. */
export function userFile(env: Io['env']): string {
  return join(userFolder(env), 'config.yaml');
}

/** Where a user's own files of mixdown are. */
function userFolder(env: Io['env']): string {
  const home = env['XDG_CONFIG_HOME'] ?? '';
  return join(home.startsWith('/') ? home : join(env['HOME'] ?? homedir(), '.config'), 'mixdown');
}
