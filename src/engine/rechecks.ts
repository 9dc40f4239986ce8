import type {Sha256} from '../core/digest.ts';
import type {RecheckCounts} from '../core/events.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {ActionResult} from '../core/action.ts';

/** What is compared of two results. */
export type Made = Pick<ActionResult, 'outputs' | 'metrics'>;

/** How results of others are tried. */
export interface RecheckRequest {
  /** Share of them that is made again: 0 ... 1. Asked when the first is about to be taken. */
  readonly share: () => Promise<number>;
  /** 0 <= x < 1; who made the results must not be able to tell it in advance. */
  readonly random: () => number;
  /** Whether two results of the node agree within the declared tolerances. Their bytes are in the store. */
  readonly agrees: (node: PipelineNode, theirs: Made, ours: Made) => Promise<boolean>;
}

/**
 * What took its maker longer is not made again: the run that waits for it would cost more than the doubt is worth. It is
 * counted, since the time is the maker's own word.
 */
const longestMs = 600_000;

type Ending = Exclude<keyof RecheckCounts, 'taken'>;

/** Which results of others a run makes again, decided once for each, and what came of it. */
export class Rechecks {
  readonly agrees: RecheckRequest['agrees'];
  readonly #request: RecheckRequest;
  readonly #chosen = new Map<Sha256, boolean>();
  readonly #counts: Record<keyof RecheckCounts, number> = {
    taken: 0,
    agreed: 0,
    differed: 0,
    undecided: 0,
    failed: 0,
    tooLong: 0,
  };
  #share: number | undefined;
  /** How many were found to have vouched for a wrong result. */
  blamed = 0;

  constructor(request: RecheckRequest) {
    this.#request = request;
    this.agrees = request.agrees;
  }

  /** True when some are to be made again. To be asked before `chooses`. */
  async ready(): Promise<boolean> {
    this.#share ??= await this.#request.share();
    return this.#share > 0;
  }

  /** Whether this one is to be made again. No longer so when it has ended. */
  chooses(fingerprint: Sha256, wallMs: number): boolean {
    const known = this.#chosen.get(fingerprint);
    if (known !== undefined) return known;
    this.#counts.taken++;
    let chosen = this.#request.random() < (this.#share ?? 0);
    if (chosen && wallMs > longestMs) {
      this.#counts.tooLong++;
      chosen = false;
    }
    this.#chosen.set(fingerprint, chosen);
    return chosen;
  }

  end(fingerprint: Sha256, ending: Ending): void {
    this.#chosen.set(fingerprint, false);
    this.#counts[ending]++;
  }

  /** Undefined when nothing was taken. */
  get counts(): RecheckCounts | undefined {
    return this.#counts.taken === 0 ? undefined : {...this.#counts};
  }
}
