import type {ActionResult, SliceManifest} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import type {ActionCache} from '../core/ports.ts';
import type {LocalBlobs} from './download.ts';
import type {RemoteMode} from './settings.ts';
import type {Steady} from './steady.ts';
import type {Transport} from './transport.ts';

/** What a remote cache is made of, and what it works on. */
export interface RemoteParts extends LocalBlobs {
  readonly transport: Transport;
  readonly mode: RemoteMode;
  readonly steady: Steady;
  readonly actions: ActionCache;
  /** Checks what came as the record of this action; undefined when it is none. */
  readonly parseResult: (text: string, fingerprint: Sha256) => ActionResult | undefined;
  readonly parseSlices: (text: string) => SliceManifest | undefined;
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
