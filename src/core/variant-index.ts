import {scalarText} from './pipeline.ts';
import type {Variant} from './matrix.ts';

/**
 * The variants of one node, found by the values of some of their axes. An index per set of axes is built at its first
 * use, in linear time; after that a look-up costs its result.
 */
export class VariantIndex {
  readonly axes: readonly string[];
  readonly #variants: readonly Variant[];
  readonly #indices = new Map<string, ReadonlyMap<string, readonly number[]>>();

  constructor(axes: readonly string[], variants: readonly Variant[]) {
    this.axes = axes;
    this.#variants = variants;
  }

  /** Positions of the matching variants in matrix order. `fixed` maps an axis to `scalarText` of its value. */
  select(fixed: ReadonlyMap<string, string>): readonly number[] {
    const axes = this.axes.filter((axis) => fixed.has(axis));
    const name = axes.join(',');
    let index = this.#indices.get(name);
    if (!index) {
      index = this.#build(axes);
      this.#indices.set(name, index);
    }
    return index.get(axes.map((axis) => fixed.get(axis)).join(',')) ?? [];
  }

  #build(axes: readonly string[]): ReadonlyMap<string, readonly number[]> {
    const index = new Map<string, number[]>();
    this.#variants.forEach((variant, position) => {
      const key = axes.map((axis) => scalarText(variant[axis] ?? '')).join(',');
      const found = index.get(key);
      if (found) found.push(position);
      else index.set(key, [position]);
    });
    return index;
  }
}
