import {sha256, type Sha256} from '../core/digest.ts';
import {canonicalJson, isObject, type Json, type JsonObject} from '../core/json.ts';
import type {Voucher} from '../core/origin.ts';
import {collect} from './blobs.ts';
import type {RemoteParts} from './parts.ts';
import type {Refusals} from './refusals.ts';
import {mostRecordBytes, type Requests} from './requests.ts';
import {signEntry} from './signature.ts';
import {RemoteError, type Space} from './transport.ts';
import {judge, vouchersOf, type Refused} from './trust.ts';

/** An entry of a namespace that may be used. */
export interface Accepted {
  /** As it came, `signature` and all. */
  readonly entry: JsonObject;
  readonly text: string;
  readonly voucher: Voucher;
  readonly namespace: string;
}

/** Signed entries by key, each namespace apart. */
export class Records {
  readonly #parts: RemoteParts;
  readonly #requests: Requests;
  readonly #refusals: Refusals;
  /** Who answers for what is written here, as a reader sees it. */
  readonly voucher: Voucher;
  /** False when readers of our namespace would refuse what is written. */
  readonly writable: boolean;

  constructor(parts: RemoteParts, requests: Requests, refusals: Refusals) {
    const {namespace, trusted, signingKey} = parts;
    const keys = trusted(namespace);
    this.#parts = parts;
    this.#requests = requests;
    this.#refusals = refusals;
    this.writable = !keys || (signingKey !== undefined && keys.has(signingKey.id));
    this.voucher = keys && signingKey ? `key:${signingKey.id}` : `namespace:${namespace}`;
  }

  /** Where to look, in this order. */
  get namespaces(): readonly string[] {
    return [...new Set([this.#parts.namespace, ...this.#parts.read])];
  }

  /**
   * What is there and may be used; undefined when nothing is.
   *
   * @param read - takes it in; may throw `RemoteError`, and returns a refusal of what it will not take
   */
  get<T extends object>(
    namespace: string,
    key: Sha256,
    read: (found: Accepted) => T | Refused,
  ): Promise<T | undefined> {
    const {salt, trusted, isDistrusted} = this.#parts;
    return this.#requests.get(spaceOf(namespace), keyWith(salt, key), mostRecordBytes, async (bytes) => {
      const text = (await collect(bytes)).toString('utf8');
      const entry = parseObject(text);
      if (!entry) throw damaged(key);
      const verdict = judge(entry, {namespace, salt}, trusted, isDistrusted);
      const taken = isRefused(verdict) ? verdict : read({...verdict, entry, text, namespace});
      if (!isRefused(taken)) return taken;
      this.#refusals.add(namespace, taken);
      return undefined;
    });
  }

  /** Whether there is an entry, whoever wrote it; undefined when the remote does not say. */
  async has(namespace: string, key: Sha256, signal: AbortSignal): Promise<boolean | undefined> {
    const answer = await this.#requests.has('read', spaceOf(namespace), keyWith(this.#parts.salt, key), signal);
    return answer.done ? answer.value : undefined;
  }

  /** Everybody whose word is taken in one of these namespaces. */
  trustedIn(namespaces: readonly string[]): readonly Voucher[] {
    const {trusted, isDistrusted} = this.#parts;
    return vouchersOf(namespaces, trusted).filter((voucher) => !isDistrusted(voucher));
  }

  /** Writes to our namespace, signed where there is a key. True when it is there afterwards. */
  put(key: Sha256, entry: JsonObject): Promise<boolean> {
    const {namespace, salt, signingKey} = this.#parts;
    const signed = signingKey ? {...entry, signature: {...signEntry(entry, {namespace, salt}, signingKey)}} : entry;
    return this.#requests.putJson(spaceOf(namespace), keyWith(salt, key), signed);
  }
}

export function damaged(key: Sha256): RemoteError {
  return new RemoteError('wrong', `the record ${key} is damaged or of another version`);
}

function isRefused(value: object): value is Refused {
  return 'refused' in value;
}

function spaceOf(namespace: string): Space {
  return namespace === 'default' ? 'ac' : `${namespace}/ac`;
}

/** Another salt, and nobody finds what was written before. */
function keyWith(salt: string, key: Sha256): Sha256 {
  return salt === '' ? key : sha256(canonicalJson(['salt', salt, key]));
}

function parseObject(text: string): JsonObject | undefined {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  return isObject(value) ? value : undefined;
}
