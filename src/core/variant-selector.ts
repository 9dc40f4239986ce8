import {didYouMean, valueHint} from './closest.ts';
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
  /** The selector holds a `*` or a choice of values, so that it stands for a list even when one variant matches. */
  readonly many: boolean;
}

/** Why a selector selects nothing; offsets count in the reference's text. */
export interface SelectionError {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: () => string | undefined;
  /** The value that an axis does not have. */
  readonly value?: string;
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
  const wanted = new Map<string, readonly string[]>();
  const named = new Set<string>();
  for (const {axis, at, choices} of selector?.axes ?? []) {
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
    if (choices === undefined) continue;
    const texts = index.texts(axis);
    for (const {text, start, end} of choices) {
      if (texts.has(text)) continue;
      const message = `the axis \`${axis}\` of \`${name}\` has no value \`${text}\``;
      return err({code: 'unknown-axis', message, hint: () => valuesHint(text, texts), value: text, start, end});
    }
    wanted.set(axis, choices.length === 1 ? [choices[0]!.text] : [...new Set(choices.map(({text}) => text))]);
  }
  const missing = axes.filter((axis) => !named.has(axis));
  if (missing.length > 0 && unnamed === 'error') {
    const list = axes.map((axis) => `\`${axis}\``).join(', ');
    const message = `\`${name}\` has the ${axes.length === 1 ? 'axis' : 'axes'} ${list}; name ${axes.length === 1 ? 'it' : 'each'} to say which variant`;
    return err({code: 'bad-reference', message});
  }
  const indices = selectAny(index, wanted);
  if (indices.length === 0) {
    const text = [...wanted].map(([axis, values]) => `${axis}=${values.join('|')}`).join(',');
    return err({
      code: 'unknown-node',
      message: `\`${name}\` has no variant \`${text}\`: its matrix leaves that combination out`,
    });
  }
  const single = wanted.size === axes.length && [...wanted.values()].every((values) => values.length === 1);
  return ok({indices, many: !single});
}

/** Variants that have one of the wanted values on each axis, in matrix order. */
function selectAny(index: VariantIndex, wanted: ReadonlyMap<string, readonly string[]>): readonly number[] {
  const fixed = new Map<string, string>();
  const open: (readonly [axis: string, values: readonly string[]])[] = [];
  for (const [axis, values] of wanted) {
    if (values.length === 1) fixed.set(axis, values[0] as string);
    else open.push([axis, values]);
  }
  if (open.length === 0) return index.select(fixed);
  let combinations: ReadonlyMap<string, string>[] = [fixed];
  for (const [axis, values] of open) {
    combinations = combinations.flatMap((before) => values.map((value) => new Map([...before, [axis, value]])));
  }
  return combinations.flatMap((all) => index.select(all)).sort((a, b) => a - b);
}

/** A few values are best listed: short ones are all alike to a spelling check. */
function valuesHint(wanted: string, texts: ReadonlySet<string>): string | undefined {
  if (texts.size > 12) return valueHint(wanted, texts);
  return `its values: ${[...texts].map((text) => `\`${text}\``).join(', ')}`;
}
