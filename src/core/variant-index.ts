import type {Variant} from './matrix.ts';
import {scalarText} from './pipeline.ts';

/**
 * The variants of one node, found by the values of some of their axes. An index per set of axes is built at its first
 * use, in linear time; after that a look-up costs its result.
 */
export class VariantIndex {
  readonly axes: readonly string[];
  readonly #variants: readonly Variant[];
  readonly #partial = new Map<string, ReadonlyMap<string, readonly number[]>>();
  readonly #texts = new Map<string, ReadonlySet<string>>();
  #whole: ReadonlyMap<string, number> | undefined;

  constructor(axes: readonly string[], variants: readonly Variant[]) {
    this.axes = axes;
    this.#variants = variants;
  }

  /** Positions of the matching variants in matrix order. `fixed` maps an axis to `scalarText` of its value. */
  select(fixed: ReadonlyMap<string, string>): readonly number[] {
    const axes = this.axes.filter((axis) => fixed.has(axis));
    const key = axes.map((axis) => fixed.get(axis)).join(',');
    if (axes.length === this.axes.length) {
      // One number per variant instead of one list: the common look-up, and there may be 100 000 variants.
      this.#whole ??= new Map(this.#variants.map((variant, position) => [keyOf(variant, axes), position]));
      const found = this.#whole.get(key);
      return found === undefined ? [] : [found];
    }
    const name = axes.join(',');
    let index = this.#partial.get(name);
    if (!index) {
      index = this.#group(axes);
      this.#partial.set(name, index);
    }
    return index.get(key) ?? [];
  }

  /** The values of an axis as `scalarText` writes them; empty for an axis that is not there. */
  texts(axis: string): ReadonlySet<string> {
    let texts = this.#texts.get(axis);
    if (!texts) {
      const known = this.axes.includes(axis);
      texts = new Set(known ? this.#variants.map((variant) => scalarText(variant[axis] ?? '')) : []);
      this.#texts.set(axis, texts);
    }
    return texts;
  }

  #group(axes: readonly string[]): ReadonlyMap<string, readonly number[]> {
    const index = new Map<string, number[]>();
    this.#variants.forEach((variant, position) => {
      const key = keyOf(variant, axes);
      const found = index.get(key);
      if (found) found.push(position);
      else index.set(key, [position]);
    });
    return index;
  }
}

function keyOf(variant: Variant, axes: readonly string[]): string {
  return axes.map((axis) => scalarText(variant[axis] ?? '')).join(',');
}
