import type {ActionResult} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import type {Failure} from '../core/failure.ts';
import type {Builder, Voucher} from '../core/origin.ts';
import type {ActionCache} from '../core/ports.ts';
import type {LocalBlobs} from './download.ts';
import type {RemoteSettings} from './settings.ts';
import type {SigningKey} from './signature.ts';
import type {Steady} from './steady.ts';
import type {Transport} from './transport.ts';
import type {Trusted} from './trust.ts';

/** What a remote cache is made of, and what it works on. */
export interface RemoteParts extends LocalBlobs, Pick<RemoteSettings, 'mode' | 'namespace' | 'read' | 'salt'> {
  readonly transport: Transport;
  readonly steady: Steady;
  readonly warn: (failure: Failure) => void;
  /** Whose signature counts, where one is needed. */
  readonly trusted: Trusted;
  /** Somebody whose results were found wrong. */
  readonly isDistrusted: (voucher: Voucher) => boolean;
  readonly signingKey?: SigningKey;
  /** Why there is none, when one is named. */
  readonly noKey?: string;
  /** Who this is, for others that use what is made here. Asked once something is written. */
  readonly builder?: () => Promise<Builder>;
  readonly actions: ActionCache;
  /** Checks what came as the record of this action; undefined when it is none. */
  readonly parseResult: (text: string, fingerprint: Sha256) => ActionResult | undefined;
  /** Requests at a time. */
  readonly parallel: number;
}

/** A store that cannot be written to is reported by what needs it. */
export async function locally<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
