import {StageError} from 'mixdown/stage';
import {groupBy} from './group-by.ts';

/** Gathers what is wrong with an input, so that all of it is said at once. */
export interface Problems {
  /** `text` says where and what. The hint is shown when it is the only problem, and after the text otherwise. */
  add(this: void, text: string, hint?: string): void;
  readonly count: number;
  /**
   * Throws a StageError of ten problems and the number of the others; does nothing when there are none. The first three of
   * each kind come before more of one kind, so that a fault in every row does not hide another.
   */
  check(this: void): void;
}

/** `what` completes "12 problems with ...", the first line of the message. */
export function gatherProblems(what: string): Problems {
  const found: Problem[] = [];
  return {
    add: (text, hint) => void found.push({text, hint}),
    get count() {
      return found.length;
    },
    check() {
      const [first] = found;
      if (first === undefined) return;
      if (found.length === 1) throw new StageError(first.text, first.hint);
      const lines = foremost(found).map(({text, hint}) => `\n  - ${text}${hint === undefined ? '' : `; ${hint}`}`);
      const rest = found.length - MOST;
      throw new StageError(
        `${found.length} problems with ${what}${lines.join('')}${rest > 0 ? `\n  and ${rest} more` : ''}`,
      );
    },
  };
}

/** Ten at most, in their order. Texts that differ in numbers and quoted words only are of one kind. */
function foremost(found: readonly Problem[]): readonly Problem[] {
  const kinds = [...groupBy(found, ({text}) => text.replace(/`[^`]*`|\d+/g, '')).values()];
  const ranked = [
    ...kinds.flatMap((own) => own.slice(0, MOST_OF_KIND)),
    ...kinds.flatMap((own) => own.slice(MOST_OF_KIND)),
  ];
  const chosen = new Set(ranked.slice(0, MOST));
  return found.filter((problem) => chosen.has(problem));
}

interface Problem {
  readonly text: string;
  readonly hint: string | undefined;
}

/** `1 clip`, `2 clips`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** The first ten, and how many there are besides. */
export function firstOf(names: readonly string[]): string {
  const rest = names.length - MOST;
  return names.slice(0, MOST).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

const MOST = 10;
const MOST_OF_KIND = 3;
