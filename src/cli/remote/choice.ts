import {existsSync, readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {failure} from '../../core/failure.ts';
import {isObject, type Json, type JsonObject} from '../../core/json.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {isMode, plainSettings, readRemote, readRemoteUrl, type RemoteSettings} from '../../remote/settings.ts';
import type {Io} from '../io.ts';
import type {Project} from '../project.ts';

/** The remote cache that is to be used, and who says so. */
export interface RemoteChoice {
  readonly settings: RemoteSettings;
  /** What the path of a secret's file starts at. */
  readonly folder: string;
  /** For people: `MIXDOWN_CACHE`, `pipeline.yaml` or the user's configuration file. */
  readonly from: string;
}

/** What the choice is made from. */
export interface RemoteWish {
  readonly io: Pick<Io, 'env' | 'cwd' | 'now'>;
  readonly project: Project;
  /** `cache.remote` of pipeline.yaml. */
  readonly remote?: JsonObject;
}

/** False when there is certainly none. Costs next to nothing. */
export function mayHaveRemote({io: {env}, remote}: RemoteWish): boolean {
  const word = env[variable] ?? '';
  if (word === 'off') return false;
  return (word !== '' && !isMode(word)) || remote !== undefined || existsSync(userFile(env));
}

/**
 * `MIXDOWN_CACHE` comes first: an address or folder, `off`, or a mode for the cache that is configured; then pipeline.yaml; then
 * the user's configuration. The first that names a cache decides; to an address in the variable belong the credentials that are
 * configured for the same host.
 */
export async function chooseRemote({io, project, remote}: RemoteWish): Promise<Result<RemoteChoice | undefined>> {
  const word = io.env[variable] ?? '';
  if (word === 'off') return ok(undefined);
  const configured = await configuredRemotes({io, project, ...(remote ? {remote} : {})});
  if (!configured.ok) return configured;
  const [first] = configured.value;
  if (word === '') return ok(first);
  if (isMode(word)) return ok(first && {...first, settings: {...first.settings, mode: word}});
  const url = readRemoteUrl(word, variable, pathToFileURL(`${io.cwd}/`));
  if (!url.ok) return url;
  const same = configured.value.find(({settings}) => settings.url.host === url.value.host && url.value.host !== '');
  if (!same || same.settings.url.origin !== url.value.origin) {
    return ok({settings: {...plainSettings, url: url.value, mode: 'read-write'}, folder: io.cwd, from: variable});
  }
  return ok({...same, settings: {...same.settings, url: url.value}, from: variable});
}

const variable = 'MIXDOWN_CACHE';

async function configuredRemotes({io, project, remote}: RemoteWish): Promise<Result<readonly RemoteChoice[]>> {
  const found: RemoteChoice[] = [];
  const add = (section: Json, from: string, folder: string): Result<void> => {
    const settings = readRemote(section, from, pathToFileURL(`${folder}/`));
    if (!settings.ok) return settings;
    found.push({settings: settings.value, folder, from});
    return ok(undefined);
  };
  if (remote) {
    const added = add(remote, 'pipeline.yaml', project.root);
    if (!added.ok) return added;
  }
  const file = userFile(io.env);
  const user = await readUserRemote(file);
  if (!user.ok) return user;
  if (user.value !== undefined) {
    const added = add(user.value, file, dirname(file));
    if (!added.ok) return added;
  }
  return ok(found);
}

/** `cache.remote` of the user's configuration; undefined when there is none. */
async function readUserRemote(file: string): Promise<Result<Json | undefined>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? ok(undefined) : err([failure('remote-config', `${file} cannot be read: ${message}`)]);
  }
  const {parse} = await import('yaml');
  try {
    const document = (parse(text) ?? {}) as Json;
    const cache = isObject(document) ? document['cache'] : undefined;
    return ok(isObject(cache) ? cache['remote'] : undefined);
  } catch (error) {
    return err([failure('remote-config', `${file} is not understood: ${(error as Error).message}`)]);
  }
}

/** By the XDG base directory specification. */
function userFile(env: Io['env']): string {
  const home = env['XDG_CONFIG_HOME'] ?? '';
  return join(home.startsWith('/') ? home : join(env['HOME'] ?? homedir(), '.config'), 'mixdown', 'config.yaml');
}
