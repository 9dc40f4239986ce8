/** Gives every wish a name of its own that pipeline.yaml allows. */
export class Names {
  readonly #taken: Set<string>;

  /** @param reserved - names never given */
  constructor(reserved: readonly string[] = []) {
    this.#taken = new Set(reserved);
  }

  /** The first wish that is free, in lower case with `-` for what is not allowed; with a number when none is. */
  take(...wishes: readonly [string, ...string[]]): string {
    const fitted = wishes.map(fit);
    const base = fitted.at(-1) ?? '';
    let name = fitted.find((wish) => !this.#taken.has(wish)) ?? base;
    for (let number = 2; this.#taken.has(name); number++) name = `${base}-${number}`;
    this.#taken.add(name);
    return name;
  }
}

function fit(wish: string): string {
  const plain = wish
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, '-')
    .replaceAll(/^[^a-z]+|[-_]+$/g, '');
  return plain === '' ? 'x' : plain;
}
