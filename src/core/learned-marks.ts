/** One `acceptLeak` that has met something to accept. */
export interface Acceptance {
  readonly name: string;
  readonly reason: string;
  /** Mark of what was made with the help of it. */
  readonly used: bigint;
}

/**
 * What nodes have learned from, as sets of marks: one bit for each fold that was held out of a learning, one for learning
 * with nothing held out, and the same again for each `acceptLeak` they went through.
 */
export class LearnedMarks {
  readonly acceptances: Acceptance[] = [];
  readonly #folds = new Map<string, bigint>();
  readonly #accepted = new Map<string, {readonly fold: string; readonly by: Acceptance; readonly mark: bigint}>();
  /** All of `#folds`. */
  #open = 0n;
  /** All of `#accepted`. */
  #forgiven = 0n;
  #next = 1n;

  /** Of learning with this fold held out; empty: with none. */
  ofFold(fold: string): bigint {
    const known = this.#folds.get(fold);
    if (known !== undefined) return known;
    const mark = this.#new();
    this.#folds.set(fold, mark);
    this.#open |= mark;
    return mark;
  }

  /** Those marks that a node which holds `fold` out must not read. */
  refused(marks: bigint, fold: string): bigint {
    return marks & this.#open & ~(this.#folds.get(fold) ?? 0n);
  }

  /** The same marks, to be read by all: `name` gives the reason. */
  accept(marks: bigint, name: string, reason: string): bigint {
    const open = marks & this.#open;
    let result = marks ^ open;
    if (open === 0n) return result;
    for (const [fold, mark] of this.#folds) {
      if ((open & mark) !== 0n) result |= this.#acceptedMark(fold, this.#acceptance(name, reason));
    }
    return result;
  }

  /** What a node that holds `fold` out may read by acceptances only: the marks that say so, and those of their use. */
  accepted(marks: bigint, fold: string): {readonly forgiven: bigint; readonly used: bigint} {
    let forgiven = 0n;
    let used = 0n;
    if ((marks & this.#forgiven) === 0n) return {forgiven, used};
    for (const accepted of this.#accepted.values()) {
      if (accepted.fold === fold || (marks & accepted.mark) === 0n) continue;
      forgiven |= accepted.mark;
      used |= accepted.by.used;
    }
    return {forgiven, used};
  }

  #acceptance(name: string, reason: string): Acceptance {
    const known = this.acceptances.find((each) => each.name === name && each.reason === reason);
    if (known) return known;
    const made = {name, reason, used: this.#new()};
    this.acceptances.push(made);
    return made;
  }

  #acceptedMark(fold: string, by: Acceptance): bigint {
    const key = JSON.stringify([fold, by.name, by.reason]);
    const known = this.#accepted.get(key);
    if (known) return known.mark;
    const mark = this.#new();
    this.#accepted.set(key, {fold, by, mark});
    this.#forgiven |= mark;
    return mark;
  }

  #new(): bigint {
    const mark = this.#next;
    this.#next <<= 1n;
    return mark;
  }
}
