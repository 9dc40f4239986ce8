import type {FailureCode} from './failure.ts';
import type {Scalar} from './json.ts';
import {scalarText} from './pipeline.ts';

export type Variant = Readonly<Record<string, Scalar>>;

export interface Axis {
  readonly name: string;
  readonly values: readonly Scalar[];
}

/** A matrix with its references already replaced. Values are compared by `scalarText`: 1 and '1' are the same. */
export interface MatrixSpec {
  /** In declaration order. */
  readonly axes: readonly Axis[];
  /** Variants added after the product; each names every axis. */
  readonly include: readonly Variant[];
  /** Partial mappings; a variant of the product that matches one is left out. */
  readonly exclude: readonly Variant[];
  /** Only variants of the product that match at least one of these stay. Empty means no condition. */
  readonly when: readonly Readonly<Record<string, readonly Scalar[]>>[];
}

/** A mistake in a matrix; `path` leads from the matrix to the member at fault. */
export interface MatrixProblem {
  readonly code: FailureCode;
  readonly message: string;
  readonly path: readonly (string | number)[];
}

export interface MatrixExpansion {
  readonly axes: readonly string[];
  readonly variants: readonly Variant[];
  readonly problems: readonly MatrixProblem[];
}

/** More variants than this of one node are taken for a mistake. */
export const variantLimit = 1_000_000;

/**
 * All variants: the product of the axes in row-major order (the last axis moves fastest) without the excluded ones, then
 * the included ones. Linear in the size of the product. No axes at all give the one empty variant.
 */
export function expandMatrix(spec: MatrixSpec): MatrixExpansion {
  const axes = axisNames(spec);
  const problems = checkMembers(spec, axes);
  if (axes.length === 0) return {axes, variants: problems.length > 0 ? [] : [{}], problems};
  const size = spec.axes.length === 0 ? 0 : spec.axes.reduce((product, axis) => product * axis.values.length, 1);
  if (size + spec.include.length > variantLimit) {
    const message = `the matrix has ${size} variants; the limit is ${variantLimit}`;
    return {axes, variants: [], problems: [...problems, {code: 'too-large', message, path: []}]};
  }
  const excluded = partialMatcher(spec.exclude);
  const wanted = conditionMatcher(spec.when);
  const variants = product(spec.axes, size).filter((variant) => !excluded(variant) && wanted(variant));
  if (problems.length > 0) return {axes, variants, problems};
  if (spec.include.length > 0) addIncluded(spec.include, axes, variants, problems);
  if (variants.length === 0 && problems.length === 0) {
    const empty = spec.axes.find((axis) => axis.values.length === 0)?.name;
    const cause = empty === undefined ? '`exclude` and `when` leave none' : `axis \`${empty}\` has no values`;
    problems.push({code: 'empty-matrix', message: `the matrix has no variant: ${cause}`, path: []});
  }
  return {axes, variants, problems};
}

/** Values that occur, per axis: declared order first, then those that only `include` brings. */
export function axisValues(axes: readonly string[], variants: readonly Variant[]): Record<string, readonly Scalar[]> {
  return Object.fromEntries(
    axes.map((axis) => {
      const found = new Map<string, Scalar>();
      for (const variant of variants) {
        const value = variant[axis];
        if (value === undefined) continue;
        const text = scalarText(value);
        if (!found.has(text)) found.set(text, value);
      }
      return [axis, [...found.values()]];
    }),
  );
}

/** A key for the values of some axes; different values give different keys. */
function variantKey(variant: Variant, axes: readonly string[]): string {
  return axes.map((axis) => scalarText(variant[axis] ?? '')).join(',');
}

function axisNames(spec: MatrixSpec): string[] {
  const first = spec.axes.length === 0 ? Object.keys(spec.include[0] ?? {}) : spec.axes.map((axis) => axis.name);
  return [...first];
}

function checkMembers(spec: MatrixSpec, axes: readonly string[]): MatrixProblem[] {
  const problems: MatrixProblem[] = [];
  const known = new Set(axes);
  const list = `the axes are ${axes.map((axis) => `\`${axis}\``).join(', ')}`;
  const checkKeys = (member: object, path: readonly (string | number)[]) => {
    for (const axis of Object.keys(member)) {
      if (known.has(axis)) continue;
      problems.push({
        code: 'unknown-axis',
        message: `the matrix has no axis \`${axis}\`; ${list}`,
        path: [...path, axis],
      });
    }
  };
  for (const {name, values} of spec.axes) {
    const seen = new Set<string>();
    values.forEach((value, index) => {
      const text = scalarText(value);
      const message = `axis \`${name}\` has the value \`${text}\` twice`;
      if (seen.has(text)) problems.push({code: 'duplicate-variant', message, path: [name, index]});
      seen.add(text);
    });
  }
  spec.exclude.forEach((member, index) => checkKeys(member, ['exclude', index]));
  spec.when.forEach((member, index) => checkKeys(member, ['when', index]));
  spec.include.forEach((member, index) => {
    checkKeys(member, ['include', index]);
    const missing = axes.filter((axis) => !Object.hasOwn(member, axis));
    if (missing.length === 0) return;
    const names = missing.map((axis) => `\`${axis}\``).join(', ');
    problems.push({
      code: 'bad-value',
      message: `an included variant names every axis; ${names} is missing`,
      path: ['include', index],
    });
  });
  return problems;
}

function product(axes: readonly Axis[], size: number): Variant[] {
  const variants: Variant[] = [];
  const widths = axes.map((_, at) => axes.slice(at + 1).reduce((width, axis) => width * axis.values.length, 1));
  for (let index = 0; index < size; index++) {
    const variant: Record<string, Scalar> = {};
    axes.forEach(({name, values}, at) => {
      variant[name] = values[Math.floor(index / (widths[at] ?? 1)) % values.length] ?? '';
    });
    variants.push(variant);
  }
  return variants;
}

function addIncluded(
  include: readonly Variant[],
  axes: readonly string[],
  variants: Variant[],
  problems: MatrixProblem[],
) {
  const seen = new Set(variants.map((variant) => variantKey(variant, axes)));
  include.forEach((member, index) => {
    const variant = Object.fromEntries(axes.map((axis) => [axis, member[axis] ?? '']));
    const key = variantKey(variant, axes);
    const text = axes.map((axis) => `${axis}=${scalarText(variant[axis] ?? '')}`).join(',');
    const message = `the variant \`${text}\` is already in the matrix`;
    if (seen.has(key)) problems.push({code: 'duplicate-variant', message, path: ['include', index]});
    else variants.push(variant);
    seen.add(key);
  });
}

/** Matches a variant against many partial mappings at the cost of one look-up per set of axes they use. */
function partialMatcher(members: readonly Variant[]): (variant: Variant) => boolean {
  const groups = new Map<string, {axes: readonly string[]; keys: Set<string>}>();
  for (const member of members) {
    const axes = Object.keys(member).sort();
    const name = axes.join(',');
    const group = groups.get(name) ?? {axes, keys: new Set<string>()};
    group.keys.add(variantKey(member, axes));
    groups.set(name, group);
  }
  const all = [...groups.values()];
  return (variant) => all.some(({axes, keys}) => keys.has(variantKey(variant, axes)));
}

function conditionMatcher(conditions: MatrixSpec['when']): (variant: Variant) => boolean {
  if (conditions.length === 0) return () => true;
  const compiled = conditions.map((condition) =>
    Object.entries(condition).map(([axis, values]) => ({axis, texts: new Set(values.map(scalarText))})),
  );
  return (variant) =>
    compiled.some((axes) => axes.every(({axis, texts}) => texts.has(scalarText(variant[axis] ?? ''))));
}
