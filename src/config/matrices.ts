import {didYouMean} from '../core/closest.ts';
import {isArray, isObject, isScalar, type Json, type JsonObject, type Scalar} from '../core/json.ts';
import {axisValues, expandMatrix, type MatrixSpec, type Variant} from '../core/matrix.ts';
import {nodeId, type NodeId} from '../core/pipeline.ts';
import {VariantIndex} from '../core/variant-index.ts';
import type {MatrixSection, NodeSection} from './document.ts';
import {parsePlaceholder, type Placeholder} from './placeholder.ts';
import type {Path, Problem} from './problem.ts';
import {valueText} from './schema-problem.ts';
import {compileTemplate} from './template.ts';
import type {Variables} from './variables.ts';

/** The variants of one node name. */
export interface NodeVariants {
  readonly axes: readonly string[];
  readonly variants: readonly Variant[];
  /** Parallel to `variants`. */
  readonly ids: readonly NodeId[];
  readonly values: Readonly<Record<string, readonly Scalar[]>>;
  readonly index: VariantIndex;
  /** The matrix is wrong and that was reported: what depends on it is not checked further. */
  readonly broken: boolean;
}

type Report = (problem: Problem) => void;

/** Expands the matrix of every node, those that others refer to (`${train.levels}`) first. */
export class Matrices {
  readonly #nodes: Readonly<Record<string, NodeSection>>;
  readonly #broken: ReadonlySet<string> | undefined;
  readonly #variables: Variables;
  readonly #report: Report;
  readonly #done = new Map<string, NodeVariants>();
  readonly #open: string[] = [];
  /** What all nodes without a matrix have in common. */
  readonly #plain: Omit<NodeVariants, 'ids'> = tabulate('', [], [{}], false);

  constructor(
    nodes: Readonly<Record<string, NodeSection>>,
    broken: ReadonlySet<string> | undefined,
    variables: Variables,
    report: Report,
  ) {
    this.#nodes = nodes;
    this.#broken = broken;
    this.#variables = variables;
    this.#report = report;
  }

  /** The variants of a node that exists. */
  of(name: string): NodeVariants {
    const before = this.#done.get(name);
    if (before) return before;
    this.#open.push(name);
    const wrong = this.#broken?.has(name) === true;
    const found = wrong ? tabulate(name, [], [], true) : this.#expand(name, this.#nodes[name]?.matrix);
    this.#open.pop();
    this.#done.set(name, found);
    return found;
  }

  #expand(name: string, section: MatrixSection | undefined): NodeVariants {
    if (!section) return {...this.#plain, ids: [name]};
    const path = ['nodes', name, 'matrix'];
    const read = this.#readSpec(section, path);
    if (!read) return tabulate(name, Object.keys(section), [], true);
    const {axes, variants, problems} = expandMatrix(read.spec);
    for (const problem of problems) {
      const at = problem.code === 'unknown-axis' ? 'key' : 'value';
      this.#report({...problem, path: read.placeOf(problem.path), at});
    }
    return tabulate(name, axes, variants, problems.length > 0);
  }

  #readSpec(
    section: MatrixSection,
    path: Path,
  ): {readonly spec: MatrixSpec; placeOf(inMatrix: Path): Path} | undefined {
    const template = compileTemplate(section, path, (placeholder, at) => this.#resolve(placeholder, at), this.#report);
    if (template?.kind !== 'constant' || !isObject(template.value)) return undefined;
    const {value: resolved} = template;
    const {include, exclude, when, ...axes} = resolved;
    const placeOf = (inMatrix: Path): Path => {
      const [key, index, ...rest] = inMatrix;
      if (key !== 'include' && key !== 'exclude' && key !== 'when') return [...path, ...inMatrix];
      const source = this.#sourceOf(section[key]) ?? [...path, key];
      return [...source, ...(index === undefined || isObject(resolved[key]) ? [] : [index]), ...rest];
    };
    let sound = true;
    const scalars = (value: Json | undefined, at: Path): readonly Scalar[] => {
      const list = isArray(value) ? value : [value ?? null];
      list.forEach((item, index) => {
        if (isScalar(item)) return;
        sound = false;
        const message = `a value of an axis must be a text, a number or true/false, not ${valueText(item)}`;
        this.#report({
          code: 'bad-value',
          message,
          path: isArray(value) ? [...at, index] : at,
          at: 'value',
          traced: true,
        });
      });
      return list.filter(isScalar);
    };
    const mappings = (value: Json | undefined, key: string): readonly JsonObject[] => {
      const list = isArray(value) ? value : value === undefined ? [] : [value];
      list.forEach((item, index) => {
        if (isObject(item)) return;
        sound = false;
        const message = `a member of \`${key}\` must be a mapping from axis to value, not ${valueText(item)}`;
        this.#report({code: 'bad-value', message, path: placeOf([key, index]), at: 'value', traced: true});
      });
      return list.filter(isObject);
    };
    const rows = (value: Json | undefined, key: string): readonly Variant[] =>
      mappings(value, key).map((member, index) => {
        const entries = Object.entries(member);
        return Object.fromEntries(
          entries.map(([axis, item]) => [axis, scalars(item, placeOf([key, index, axis]))[0] ?? '']),
        );
      });
    const spec: MatrixSpec = {
      axes: Object.entries(axes).map(([axis, values]) => ({name: axis, values: scalars(values, [...path, axis])})),
      include: rows(include, 'include'),
      exclude: rows(exclude, 'exclude'),
      when: mappings(when, 'when').map((condition, index) =>
        Object.fromEntries(
          Object.entries(condition).map(([axis, values]) => [axis, scalars(values, placeOf(['when', index, axis]))]),
        ),
      ),
    };
    return sound ? {spec, placeOf} : undefined;
  }

  /** Where a value that is one reference to a variable stands. */
  #sourceOf(value: Json | undefined): Path | undefined {
    const parsed = typeof value === 'string' ? parsePlaceholder(value, 0) : undefined;
    if (!parsed?.ok || parsed.value.parts[0] !== 'vars') return undefined;
    return this.#variables.lookUp(parsed.value, {}).path;
  }

  #resolve(placeholder: Placeholder, path: Path): {readonly value: Json} | undefined {
    const [space = '', axis, ...more] = placeholder.parts;
    if (space === 'vars') return this.#variables.resolve(placeholder, path);
    const complain = (code: Problem['code'], message: string, hint?: Problem['hint']) => {
      this.#report({code, message, path, at: 'value', span: placeholder.span, ...(hint ? {hint} : {})});
      return undefined;
    };
    if (space === 'matrix') {
      return complain(
        'bad-reference',
        'an axis cannot refer to another axis',
        'refer to a variable or to an axis of another node',
      );
    }
    if (!Object.hasOwn(this.#nodes, space)) {
      const message = `\`${placeholder.text}\` refers to nothing: there is no node \`${space}\``;
      const hint = () => didYouMean(space, [...Object.keys(this.#nodes), 'vars']);
      return complain('unknown-node', message, hint);
    }
    if (axis === undefined || more.length > 0) {
      return complain(
        'bad-reference',
        `\`${placeholder.text}\` must name one axis of \`${space}\``,
        `write \`\${${space}.AXIS}\``,
      );
    }
    if (this.#open.includes(space)) {
      const circle = [...this.#open.slice(this.#open.indexOf(space)), space].join(' -> ');
      return complain('cycle', `matrices refer to each other in a circle: ${circle}`);
    }
    const {values, broken, axes} = this.of(space);
    if (broken) return undefined;
    const found = Object.hasOwn(values, axis) ? values[axis] : undefined;
    if (!found)
      return complain(
        'unknown-axis',
        `\`${space}\` has no axis \`${axis}\``,
        () => didYouMean(axis, axes) ?? `\`${space}\` has no matrix`,
      );
    return {value: found};
  }
}

function tabulate(name: string, axes: readonly string[], variants: readonly Variant[], broken: boolean): NodeVariants {
  const ids = variants.map((variant) => nodeId(name, variant));
  return {axes, variants, ids, values: axisValues(axes, variants), index: new VariantIndex(axes, variants), broken};
}
