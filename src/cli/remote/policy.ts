import {keyIdOf, publicLineOf} from '../../remote/key-pair.ts';
import {trustedIn} from '../../remote/namespaces.ts';
import type {Secrets} from '../../remote/secrets.ts';
import type {RemoteMode, RemoteSettings} from '../../remote/settings.ts';

/** What holds for a remote cache here: from where results are taken, from whom, and what becomes of those made here. */
export interface Policy {
  readonly mode: RemoteMode;
  /** Where results are written. */
  readonly namespace: string;
  /** Whether they are. */
  readonly writes: boolean;
  /** What is looked into, in this order. */
  readonly reads: readonly {
    readonly namespace: string;
    /** Names of those one of whom must have signed a result; null where no signature is wanted. */
    readonly signedBy: readonly string[] | null;
  }[];
  /** Null when nothing is signed. */
  readonly key: {
    readonly id: string;
    /** What `trust` of the namespace calls it; null when it does not have it. */
    readonly name: string | null;
  } | null;
  /** Secrets that are named and not there. */
  readonly missing: Secrets['lacks'];
  readonly salt: string;
  /** Share of the results found that are made again: 0 ... 1. */
  readonly recheck: number;
}

export function policyOf(
  {mode, namespace, read, trust, salt, recheck}: RemoteSettings,
  {signingKey, lacks}: Secrets,
): Policy {
  const namespaces = mode === 'write-only' ? [] : [namespace, ...read];
  const line = signingKey === undefined ? undefined : publicLineOf(signingKey);
  const wanted = trustedIn(trust, namespace);
  const name = Object.entries(wanted ?? {}).find(([, publicKey]) => publicKey === line)?.[0] ?? null;
  return {
    mode,
    namespace,
    // Where readers want a signature, another one is no use to them.
    writes: mode !== 'read-only' && !lacks.some(({needed}) => needed) && (wanted === undefined || name !== null),
    reads: namespaces.map((name) => {
      const keys = trustedIn(trust, name);
      return {namespace: name, signedBy: keys ? Object.keys(keys) : null};
    }),
    key: line === undefined ? null : {id: keyIdOf(line), name},
    missing: mode === 'read-only' ? lacks.filter(({secret}) => secret === 'credentials') : lacks,
    salt,
    recheck,
  };
}

/** The same for people: what a line is about, and what it says. */
export function policyLines(policy: Policy): readonly [string, string][] {
  const {mode, reads, missing, salt, recheck} = policy;
  const from = ({namespace: name, signedBy}: Policy['reads'][number]): string => {
    if (signedBy === null) return `${name}, whoever wrote it`;
    return signedBy.length === 0 ? `${name}, where nobody is trusted` : `${name}, signed by ${signedBy.join(' or ')}`;
  };
  const [first = 'nothing', ...further] = reads.map(from);
  const reading = mode === 'read-only' ? missing.map(({message}): [string, string] => ['without', message]) : [];
  return [
    ['writes', writingText(policy)],
    ['reads', first],
    ...further.map((text): [string, string] => ['then', text]),
    ...reading,
    ...(salt === '' ? [] : [['salt', salt] satisfies [string, string]]),
    ...(recheck === 0 ? [] : [['rechecks', `${percentText(recheck)} of what it takes`] satisfies [string, string]]),
  ];
}

/** Where results go that are made here, or why they do not. */
export function writingText({mode, namespace, writes, key, missing}: Policy): string {
  if (mode === 'read-only') return 'nothing';
  const [lack] = missing.filter(({needed}) => needed || writes);
  const short = key && `key ${key.id.slice(0, 12)}…`;
  if (writes && key) return `${namespace}, signed ${key.name === null ? `with ${short}` : `as ${key.name}`}`;
  if (writes) return `${namespace}, unsigned${lack ? `: ${lack.message}` : ''}`;
  if (lack) return `nothing: ${lack.message}`;
  return `nothing: in ${namespace} a signature is wanted, ${key ? `and ${short} is not trusted there` : 'and `sign` names no key'}`;
}

function percentText(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`;
}
