import {existsSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import {failure} from '../../core/failure.ts';
import type {JsonObject} from '../../core/json.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {readAddress} from '../../remote/address.ts';
import {readNamespace} from '../../remote/namespaces.ts';
import type {Reading} from '../../remote/reading.ts';
import {isMode, readRemote} from '../../remote/settings.ts';
import type {Io} from '../io.ts';
import type {Project} from '../project.ts';
import {combine, type RemoteChoice, type Voice} from './combine.ts';
import {readUserFile, userFile} from './user-file.ts';

/** What the choice is made from. */
export interface RemoteWish {
  readonly io: Pick<Io, 'env' | 'cwd' | 'now'>;
  readonly project: Project;
  /** `cache.remote` of pipeline.yaml. */
  readonly remote?: JsonObject;
}

/** False when there is certainly none. Costs next to nothing. */
export function mayHaveRemote({io: {env}, remote}: RemoteWish): boolean {
  const word = env[cacheVariable] ?? '';
  if (word === 'off') return false;
  return (word !== '' && !isMode(word)) || remote !== undefined || existsSync(userFile(env));
}

/**
 * The remote cache of `MIXDOWN_CACHE` (an address or folder, `off`, or a mode for what is configured), `MIXDOWN_CACHE_NAMESPACE`,
 * the user's configuration and pipeline.yaml, put together.
 */
export async function chooseRemote({io, project, remote}: RemoteWish): Promise<Result<RemoteChoice | undefined>> {
  if (io.env[cacheVariable] === 'off') return ok(undefined);
  const environment = readEnvironment(io);
  if (!environment.ok) return environment;
  const user = await readUserFile(io.env);
  if (!user.ok) return user;
  const own = remote && readRemote(remote, 'pipeline.yaml', pathToFileURL(`${project.root}/`));
  if (own && !own.ok) return own;
  return ok(
    combine({
      environment: environment.value,
      ...(user.value ? {user: user.value} : {}),
      ...(own ? {project: {name: 'pipeline.yaml', says: own.value}} : {}),
    }),
  );
}

const cacheVariable = 'MIXDOWN_CACHE';
const namespaceVariable = 'MIXDOWN_CACHE_NAMESPACE';

function readEnvironment({env, cwd}: Pick<Io, 'env' | 'cwd'>): Result<readonly Voice[]> {
  const voices: Voice[] = [];
  const word = env[cacheVariable] ?? '';
  if (isMode(word)) voices.push({name: cacheVariable, says: {mode: word}});
  else if (word !== '') {
    const url = named(cacheVariable, readAddress(word, pathToFileURL(`${cwd}/`)));
    if (!url.ok) return url;
    voices.push({name: cacheVariable, says: {url: url.value}});
  }
  const space = env[namespaceVariable] ?? '';
  if (space !== '') {
    const namespace = named(namespaceVariable, readNamespace(space));
    if (!namespace.ok) return namespace;
    voices.push({name: namespaceVariable, says: {namespace: namespace.value}});
  }
  return ok(voices);
}

function named<T>(name: string, reading: Reading<T>): Result<T> {
  if (reading.ok) return ok(reading.value);
  const {message, hint} = reading;
  return err([failure('remote-config', `${name}: ${message}`, hint === undefined ? {} : {hint})]);
}
