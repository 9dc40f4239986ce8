import type {FailureCode, SourceRange} from '../core/failure.ts';
import type {Variant} from '../core/matrix.ts';

/** Where a value stands in the document: keys and list positions from the top. */
export type Path = readonly (string | number)[];

/** A mistake found in the document, before it is known on which line it stands. */
export interface Problem {
  readonly code: FailureCode;
  readonly message: string;
  /** Computed only for problems that are shown, because looking for similar names is dear. */
  readonly hint?: string | (() => string | undefined);
  readonly path: Path;
  /** Point at the key or at the value; a path that does not exist points at its nearest parent. */
  readonly at: 'key' | 'value';
  /** Part of a text value, as UTF-16 offsets. */
  readonly span?: readonly [start: number, end: number];
  /** Say which variables and overrides the value came through. */
  readonly traced?: true;
  /** Offsets in the pipeline's text, where they are known without a path. */
  readonly offsets?: readonly [start: number, end: number];
  /** The place may hold a secret: no excerpt of the file is shown. */
  readonly secret?: true;
  /** It concerns the command line, not a place in a file. */
  readonly nowhere?: true;
  /** The value that is wrong, as a text, if it may have come through references; `from`: where, unless from `path`. */
  readonly sought?: {readonly value: string; readonly from?: Path};
  /** The variant in which looked-up parts of the value (`${vars.a[matrix.x]}`) make the problem. */
  readonly variant?: Variant;
  /** Another place that belongs to the problem. */
  readonly related?: {readonly message: string} & (
    {readonly offsets: readonly [start: number, end: number]} | {readonly path: Path; readonly at?: 'key' | 'value'}
  );
  /** A place in another file, with its excerpt. */
  readonly elsewhere?: {readonly range: SourceRange; readonly frame?: string};
}

const limit = 200;

/** Collects problems: each place and code once, so that 1000 variants of one node report a mistake once. */
export class Problems {
  readonly #found = new Map<string, Problem>();
  #beyond = 0;

  add(problem: Problem): void {
    const {code, path, at, span, offsets, elsewhere, nowhere, message} = problem;
    const key = JSON.stringify([code, path, at, span, offsets, elsewhere?.range, nowhere && message]);
    if (this.#found.has(key)) return;
    if (this.#found.size < limit) this.#found.set(key, problem);
    else this.#beyond++;
  }

  get list(): readonly Problem[] {
    return [...this.#found.values()];
  }

  /** How many more there are than the list holds. */
  get beyond(): number {
    return this.#beyond;
  }

  get any(): boolean {
    return this.#found.size > 0;
  }
}
