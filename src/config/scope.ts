import {didYouMean} from '../core/closest.ts';
import {isScalar, type Json} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import {reportsAtSource} from './lookup-place.ts';
import type {Matrices, NodeVariants} from './matrices.ts';
import {usesAxes} from './placeholder.ts';
import type {Path, Problem} from './problem.ts';
import type {References} from './references.ts';
import {valueText} from './schema-problem.ts';
import {compileTemplate, evaluate, type LookUp, type Resolve} from './template.ts';
import type {Variables} from './variables.ts';

export type Report = (problem: Problem) => void;

/** What the expansion of one node needs of the others. */
export interface Scope {
  readonly variables: Variables;
  readonly matrices: Matrices;
  readonly references: References;
  readonly report: Report;
  readonly runSeed: number;
  readonly salt: string;
}

/** A value of a node that may differ between its variants; computed once when it does not. */
export type PerVariant<T> = (variant: Variant) => T;

/** Resolves what every text of a node may refer to: variables and the node's own axes. `more` adds other names. */
export function nodeResolver(
  name: string,
  variants: NodeVariants,
  scope: Pick<Scope, 'variables' | 'report'>,
  more: Readonly<Record<string, Resolve>> = {},
): Resolve {
  const {axes} = variants;
  const node = {name, ...variants};
  return (placeholder, path, spot) => {
    const [space = '', member] = placeholder.parts;
    if (space === 'vars') {
      if (!usesAxes(placeholder)) return scope.variables.resolve(placeholder, path);
      return scope.variables.check({placeholder, path, spot}, node) ? 'later' : undefined;
    }
    const other = Object.hasOwn(more, space) ? more[space] : undefined;
    if (other) return other(placeholder, path, spot);
    const at = {path, at: 'value', span: placeholder.span} as const;
    if (space === 'matrix') {
      if (member !== undefined && placeholder.parts.length === 2 && axes.includes(member)) return 'later';
      const message = `node \`${name}\` has no axis \`${placeholder.parts.slice(1).join('.')}\``;
      const hint = () => (axes.length === 0 ? 'the node has no matrix' : didYouMean(member ?? '', axes));
      scope.report({code: 'unknown-axis', message, hint, ...at});
      return undefined;
    }
    const spaces = ['vars', 'matrix', ...Object.keys(more)];
    const list = spaces.map((known) => (known === 'seed' ? '`${seed}`' : `\`\${${known}.…}\``)).join(', ');
    const message = `\`${placeholder.text}\` refers to nothing`;
    const hint = `what can be referred to here: ${list}; write \`$\${\` for a literal \`\${\``;
    scope.report({code: 'bad-reference', message, hint, ...at});
    return undefined;
  };
}

/** Resolves variables for later too, so that it is known where in `vars` a looked-up value stands. */
export function keepForLater(resolve: Resolve): Resolve {
  return (...reference) => resolve(...reference) && 'later';
}

/** The value of `${matrix.axis}` or `${vars.a[matrix.axis]}` in one variant; other names are not expected. */
export function variantLookUp(variant: Variant, variables: Variables): LookUp {
  return (placeholder) => {
    if (placeholder.parts[0] === 'vars') return variables.lookUp(placeholder, variant).value;
    return variant[placeholder.parts[1] ?? ''] ?? null;
  };
}

/**
 * Prepares one value of a node: templates are compiled now, converted once if constant, else for each variant. What is
 * wrong with a value is said to the given report, which knows where looked-up values stand.
 */
export function perVariant<T>(
  value: Json | undefined,
  path: Path,
  resolve: Resolve,
  {variables, report}: Pick<Scope, 'variables' | 'report'>,
  convert: (value: Json, report: Report) => T,
): PerVariant<T> | undefined {
  if (value === undefined) return undefined;
  const template = compileTemplate(value, path, resolve, report);
  if (template?.kind === 'constant') {
    const constant = convert(template.value, report);
    return () => constant;
  }
  const reportOf = template && reportsAtSource(template, String(path[1]), variables, report);
  return reportOf && ((variant) => convert(evaluate(template, variantLookUp(variant, variables)), reportOf(variant)));
}

/** A value that must be a text; a number or a boolean is written out, anything else is reported and gives an empty text. */
export function toText(value: Json, path: Path, report: Report): string {
  if (isScalar(value)) return String(value);
  report({code: 'bad-value', message: `this must be a text, not ${valueText(value)}`, path, at: 'value', traced: true});
  return '';
}

/** Resolves where a node's axes mean nothing: in sources, targets and names of stages. */
export function variablesOnly(variables: Variables, report: Report): Resolve {
  return (placeholder, path) => {
    if (placeholder.parts[0] === 'vars') return variables.resolve(placeholder, path);
    const message = `\`${placeholder.text}\` cannot stand here`;
    const hint = 'only variables can: `${vars.name}`';
    report({code: 'bad-reference', message, hint, path, at: 'value', span: placeholder.span});
    return undefined;
  };
}
