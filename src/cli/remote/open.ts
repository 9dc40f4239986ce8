import type {Failure} from '../../core/failure.ts';
import type {ActionCache, RemoteCache} from '../../core/ports.ts';
import {ok, type Result} from '../../core/result.ts';
import {distrustOf, restsOf} from '../../engine/trust.ts';
import type {RemoteClient} from '../../remote/remote-cache.ts';
import type {Secrets} from '../../remote/secrets.ts';
import type {RemoteSettings} from '../../remote/settings.ts';
import {readResult} from '../../store/action-cache.ts';
import type {Store} from '../../store/store.ts';
import type {Context} from '../context.ts';
import {lazyBuilder} from './builder.ts';
import {chooseRemote, type RemoteWish} from './choice.ts';
import type {RemoteChoice} from './combine.ts';

/** The remote cache of one process. It is looked up in the configuration when it is first needed: a null build needs none. */
export interface SharedResults extends RemoteCache {
  /** What was opened; undefined when nothing was needed of it, or there is none. */
  readonly client: () => RemoteClient | undefined;
  readonly opened: () => OpenedRemote | undefined;
  /** Share of the results found there that a run makes again: 0 ... 1. Opens the remote cache. */
  readonly recheck: () => Promise<number>;
  /** Tells what was there and not used; once. */
  tellRefused(): void;
  close(): void;
}

/** A remote cache that is ready to be used. */
export interface OpenedRemote {
  readonly client: RemoteClient;
  readonly choice: RemoteChoice;
  readonly secrets: Secrets;
}

/** What is to be opened. */
export interface OpenWish extends RemoteWish {
  /** A namespace that is read besides those that are configured. */
  readonly alsoRead?: string;
}

export function lazyRemote(wish: OpenWish, store: Store, warn: (failure: Failure) => void): SharedResults {
  let value: OpenedRemote | undefined;
  let opening: Promise<RemoteClient | undefined> | undefined;
  const open = async (): Promise<RemoteClient | undefined> => {
    const opened = await openChosen(wish, store, warn);
    if (opened.ok) value = opened.value;
    else opened.error.forEach(warn);
    return value?.client;
  };
  const opened = (): Promise<RemoteClient | undefined> => (opening ??= open());
  const client = (): RemoteClient | undefined => value?.client;
  return {
    client,
    opened: () => value,
    async recheck() {
      await opened();
      return value?.choice.settings.recheck ?? 0;
    },
    findResults: async (fingerprints) => (await opened())?.findResults(fingerprints),
    findSlices: async (action) => (await (await opened())?.findSlices(action)) ?? [],
    promises: (digest) => client()?.promises(digest) ?? false,
    lacks: (digest) => client()?.lacks(digest) ?? false,
    promise: (digests) => client()?.promise(digests),
    fetch: async (digests, signal) => client()?.fetch(digests, signal),
    share: (result) => client()?.share(result),
    tellRefused: () => client()?.tellRefused(),
    close: () => client()?.close(),
  };
}

/** The remote cache that is configured; undefined when none is. */
export async function openChosen(
  wish: OpenWish,
  store: Store,
  warn: (failure: Failure) => void,
): Promise<Result<OpenedRemote | undefined>> {
  const choice = await chooseRemote(wish);
  if (!choice.ok) return choice;
  if (!choice.value) return ok(undefined);
  const settings = withNamespace(choice.value.settings, wish.alsoRead);
  const {io, project} = wish;
  const [{openRemote}, {exposedKey, readSecrets}] = await Promise.all([
    import('../../remote/open.ts'),
    import('../../remote/secrets.ts'),
  ]);
  const secrets = await readSecrets(settings, io.env);
  const exposed = secrets.signingKey === undefined ? undefined : exposedKey(settings);
  if (exposed) warn(exposed);
  const {builder: name} = settings;
  const client = openRemote({
    ...secrets,
    settings,
    now: io.now,
    builder: lazyBuilder({env: io.env, root: project.root, ...(name === undefined ? {} : {name})}),
    warn,
    cas: store.cas,
    takePartial: store.takePartial,
    actions: trustedActions(store),
    parseResult: readResult,
    isDistrusted: (voucher) => store.distrust.of(voucher) !== undefined,
  });
  return ok({client, choice: choice.value, secrets});
}

/** Without results that rest on somebody who is distrusted: they are not given on, nor keep others from being taken. */
export function trustedActions({actions, distrust}: Pick<Store, 'actions' | 'distrust'>): ActionCache {
  return {
    put: (result) => actions.put(result),
    get(fingerprint) {
      const result = actions.get(fingerprint);
      return result && !distrustOf(restsOf(result), {distrust}) ? result : undefined;
    },
  };
}

function withNamespace(settings: RemoteSettings, alsoRead: string | undefined): RemoteSettings {
  if (alsoRead === undefined) return settings;
  const mode = settings.mode === 'write-only' ? 'read-write' : settings.mode;
  return {...settings, mode, read: [...settings.read, alsoRead]};
}

/** How long the end of a command waits for what is still to be sent. */
const longestWaitMs = 600_000;

/** Waits for what is still to be sent; an abort ends the wait, and what was not sent is told. */
export async function finishUploads(
  {note, globals}: Pick<Context, 'note' | 'globals'>,
  shared: SharedResults | undefined,
  signal: AbortSignal,
): Promise<void> {
  const client = shared?.client();
  if (!client) return;
  const {results} = client.waiting;
  if (results > 0 && !globals.json)
    note(`sending ${results === 1 ? '1 result' : `${results} results`} to ${client.name}`);
  const {failed, why} = await client.finish(AbortSignal.any([signal, AbortSignal.timeout(longestWaitMs)]));
  if (failed > 0)
    note(
      `${failed === 1 ? '1 result was' : `${failed} results were`} not sent to ${client.name}${why === undefined ? '' : `: ${why}`}`,
    );
}
