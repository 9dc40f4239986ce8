import {plainSettings, type RemoteSection, type RemoteSettings} from '../../remote/settings.ts';

/** One of the places that say which remote cache is used, and how. */
export interface Voice {
  /** For people: `MIXDOWN_CACHE`, `pipeline.yaml` or the path of the user's configuration file. */
  readonly name: string;
  readonly says: RemoteSection;
}

export interface Voices {
  /** What variables of the environment say. */
  readonly environment: readonly Voice[];
  readonly user?: Voice;
  readonly project?: Voice;
}

/** The remote cache that is to be used, and who says so. */
export interface RemoteChoice {
  readonly settings: RemoteSettings;
  /** Names of all that had a part, of those that count most first. */
  readonly from: readonly string[];
}

/**
 * Puts together what the places say. The address is that of the environment, else the project's, else the user's. The user's
 * file is laid over the project's, key by key, unless it is about another cache; of `trust` a namespace at a time, so that
 * trusting somebody in one namespace opens no other. Credentials go to the host alone that their own file names, so no project
 * can send the user's elsewhere, and a mode counts for the cache that it stands beside; the rest stays in force with an address
 * of the environment.
 */
export function combine({environment, user, project}: Voices): RemoteChoice | undefined {
  const given = environment.find(({says}) => says.url)?.says.url;
  const url = given ?? project?.says.url ?? user?.says.url;
  if (!url) return undefined;
  const heard = [
    ...environment,
    ...(user && concerns(user.says, project?.says, given) ? [user] : []),
    ...(project ? [project] : []),
  ];
  const used = new Set<Voice>();
  const first = <K extends keyof RemoteSection>(
    key: K,
    counts: (says: RemoteSection) => boolean = () => true,
  ): RemoteSection[K] | undefined => {
    const voice = heard.find(({says}) => says[key] !== undefined && counts(says));
    if (voice) used.add(voice);
    return voice?.says[key];
  };
  // In the order of `Voices`, not of `heard`: the address alone is the project's before the user's.
  for (const voice of [...environment, project, user]) {
    if (voice?.says.url !== url) continue;
    used.add(voice);
    break;
  }
  const trust: Record<string, RemoteSettings['trust'][string]> = {};
  for (const voice of heard.toReversed()) {
    if (!voice.says.trust) continue;
    used.add(voice);
    Object.assign(trust, voice.says.trust);
  }
  const namespace = first('namespace') ?? plainSettings.namespace;
  const mode = first('mode', (says) => says.url === undefined || sameHost(says.url, url));
  const credentials = first('credentials', (says) => says.url !== undefined && sameHost(says.url, url));
  const sign = first('sign');
  const builder = first('builder');
  const settings: RemoteSettings = {
    url,
    mode: mode ?? plainSettings.mode,
    ...(credentials ? {credentials} : {}),
    namespace,
    read: (first('read') ?? plainSettings.read).filter((name) => name !== namespace),
    trust,
    ...(sign ? {sign} : {}),
    salt: first('salt') ?? plainSettings.salt,
    recheck: first('recheck') ?? plainSettings.recheck,
    ...(builder === undefined ? {} : {builder}),
  };
  return {settings, from: heard.filter((voice) => used.has(voice)).map(({name}) => name)};
}

/** Whether the user's file is about the cache that is used: it names that one, or none, or is the only one to name any. */
function concerns(user: RemoteSection, project: RemoteSection | undefined, given: URL | undefined): boolean {
  if (!user.url || !project?.url) return true;
  return addressOf(user.url) === addressOf(project.url) || (given !== undefined && sameHost(user.url, given));
}

/** A folder has no host: it is the same one or another. */
function sameHost(a: URL, b: URL): boolean {
  return a.protocol === 'file:' ? addressOf(a) === addressOf(b) : a.origin === b.origin;
}

function addressOf({href}: URL): string {
  return href.replace(/\/+$/, '');
}
