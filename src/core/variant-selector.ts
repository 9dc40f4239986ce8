import {didYouMean} from './closest.ts';
import type {FailureCode} from './failure.ts';
import type {Reference} from './reference.ts';
import {err, ok, type Result} from './result.ts';
import type {VariantIndex} from './variant-index.ts';

/** The variants a selector can choose from. */
export interface Selectable {
  readonly name: string;
  readonly axes: readonly string[];
  readonly index: VariantIndex;
}

export interface Selected {
  /** Positions of the variants, in matrix order. */
  readonly indices: readonly number[];
  /** The selector holds a `*`, so that it stands for a list even when one variant matches. */
  readonly many: boolean;
}

/** Why a selector selects nothing; offsets count in the reference's text. */
export interface SelectionError {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: () => string | undefined;
  readonly start?: number;
  readonly end?: number;
}

/**
 * Applies a selector. With `unnamed: 'all'` an axis that is not named means all its values, as on the command line; with
 * `'error'` every axis must be named, as in a pipeline. Costs a look-up and the size of the result.
 */
export function selectVariants(
  {selector}: Reference,
  from: Selectable,
  unnamed: 'all' | 'error',
): Result<Selected, SelectionError> {
  const {name, axes, index} = from;
  if (axes.length === 0) {
    if (!selector) return ok({indices: [0], many: false});
    return err({
      code: 'unknown-axis',
      message: `\`${name}\` has no matrix`,
      hint: () => `write \`${name}\` without brackets`,
    });
  }
  if (selector?.all || (!selector && unnamed === 'all')) return ok({indices: index.select(new Map()), many: true});
  const fixed = new Map<string, string>();
  const named = new Set<string>();
  for (const {axis, at, value, start, end} of selector?.axes ?? []) {
    if (!axes.includes(axis)) {
      return err({
        code: 'unknown-axis',
        message: `\`${name}\` has no axis \`${axis}\``,
        hint: () => didYouMean(axis, axes),
        start: at,
        end: at + axis.length,
      });
    }
    named.add(axis);
    if (value === undefined) continue;
    const texts = index.texts(axis);
    if (!texts.has(value)) {
      const message = `the axis \`${axis}\` of \`${name}\` has no value \`${value}\``;
      return err({code: 'unknown-axis', message, hint: () => valuesHint(value, texts), start, end});
    }
    fixed.set(axis, value);
  }
  const missing = axes.filter((axis) => !named.has(axis));
  if (missing.length > 0 && unnamed === 'error') {
    const list = axes.map((axis) => `\`${axis}\``).join(', ');
    const message = `\`${name}\` has the ${axes.length === 1 ? 'axis' : 'axes'} ${list}; name ${axes.length === 1 ? 'it' : 'each'} to say which variant`;
    return err({code: 'bad-reference', message});
  }
  const indices = index.select(fixed);
  if (indices.length === 0) {
    const wanted = [...fixed].map(([axis, value]) => `${axis}=${value}`).join(',');
    return err({
      code: 'unknown-node',
      message: `\`${name}\` has no variant \`${wanted}\`: its matrix leaves that combination out`,
    });
  }
  return ok({indices, many: fixed.size < axes.length});
}

/** A few values are best listed: short ones are all alike to a spelling check. */
function valuesHint(wanted: string, texts: ReadonlySet<string>): string | undefined {
  if (texts.size > 12) return didYouMean(wanted, texts);
  return `its values: ${[...texts].map((text) => `\`${text}\``).join(', ')}`;
}
