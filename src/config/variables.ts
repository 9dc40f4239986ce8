import {didYouMean} from '../core/closest.ts';
import {isArray, isObject, type Json, type JsonObject} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import {axisMeansNothing, checkChoices, followAll, valueOf, type Chooser, type Use} from './lookups.ts';
import {memberOf, standForList, walk, type Located} from './member-steps.ts';
import type {Placeholder} from './placeholder.ts';
import type {Path, Problem} from './problem.ts';
import {compileTemplate, type Resolve} from './template.ts';

/** The document's `vars`, each with the references inside it replaced at its first use. */
export class Variables {
  readonly #raw: JsonObject;
  readonly #report: (problem: Problem) => void;
  readonly #values = new Map<string, {readonly value: Json} | undefined>();
  /** Variables being worked out now, to notice a circle. */
  readonly #open: string[] = [];
  /** What was said of a node's lookups: several of its values may choose the same missing member. */
  readonly #told = new Set<string>();

  constructor(raw: JsonObject, report: (problem: Problem) => void) {
    this.#raw = raw;
    this.#report = report;
  }

  /** Works out every variable, so that mistakes in unused ones are found too. */
  checkAll(): void {
    for (const name of Object.keys(this.#raw)) this.#valueOf(name);
  }

  /** The value of `${vars.a.b}` or `${vars.a[*].b}`; undefined after reporting what is wrong. */
  resolve(placeholder: Placeholder, path: Path): {readonly value: Json} | undefined {
    const {steps} = placeholder;
    const misplaced = axisMeansNothing(placeholder, path);
    if (misplaced) return this.#complain(misplaced);
    const start = this.#startOf(placeholder, path);
    if (!start || steps.length === 0) return start;
    const found = followAll({placeholder, path, spot: 'alone'}, start, [{}], this.#report);
    return found && {value: valueOf(found[0] ?? [], steps)};
  }

  /**
   * Checks `${vars.a[matrix.x].b}` for all variants of a node, so that `lookUp` finds a value for each. What members
   * lack is reported once, however many variants choose them. False after reporting.
   */
  check(use: Use, node: Chooser): boolean {
    const start = this.#startOf(use.placeholder, use.path);
    if (!start) return false;
    return checkChoices(use, start, node, (problem) => {
      const key = `${node.name}\0${problem.message}`;
      if (!this.#told.has(key)) this.#report(problem);
      this.#told.add(key);
    });
  }

  /** The value of a reference in one variant of a node for which `check` was true; a list has the place of its mapping. */
  lookUp(placeholder: Placeholder, variant: Variant): Located {
    const start = this.#startOf(placeholder, []);
    const walked = start && walk(start, placeholder.steps, variant);
    const found = walked && 'found' in walked ? walked.found : [];
    const path = (standForList(placeholder.steps) ? start : found[0])?.path ?? [];
    return {value: valueOf(found, placeholder.steps), path};
  }

  /** The value that the words before the first bracket name, and its place; undefined after reporting. */
  #startOf(placeholder: Placeholder, path: Path): Located | undefined {
    const [, name, ...members] = placeholder.parts;
    const at = {path, at: 'value', span: placeholder.span} as const;
    if (name === undefined || !Object.hasOwn(this.#raw, name)) {
      const known = Object.keys(this.#raw);
      const hint = () =>
        name === undefined ? 'write `${vars.NAME}`' : (didYouMean(name, known) ?? 'give it a value in `vars`');
      const message = name === undefined ? '`vars` alone is not a variable' : `unknown variable \`${name}\``;
      return this.#complain({code: 'unknown-variable', message, hint, ...at});
    }
    if (this.#open.includes(name)) {
      const circle = [...this.#open.slice(this.#open.indexOf(name)), name].join(' -> ');
      return this.#complain({code: 'cycle', message: `variables refer to each other in a circle: ${circle}`, ...at});
    }
    const found = this.#valueOf(name);
    return found && this.#descend({value: found.value, path: ['vars', name]}, members, at);
  }

  #valueOf(name: string): {readonly value: Json} | undefined {
    if (this.#values.has(name)) return this.#values.get(name);
    this.#open.push(name);
    const template = compileTemplate(this.#raw[name] ?? null, ['vars', name], this.#inVariable, this.#report);
    this.#open.pop();
    const found = template?.kind === 'constant' ? {value: template.value} : undefined;
    this.#values.set(name, found);
    return found;
  }

  readonly #inVariable: Resolve = (placeholder, path) => {
    if (placeholder.parts[0] === 'vars') return this.resolve(placeholder, path);
    const message = `\`${placeholder.text}\` cannot stand in a variable`;
    const hint = 'a variable may refer to other variables: `${vars.name}`';
    return this.#complain({code: 'bad-reference', message, hint, path, at: 'value', span: placeholder.span});
  };

  #descend(from: Located, members: readonly string[], at: Pick<Problem, 'path' | 'at' | 'span'>): Located | undefined {
    let found = from;
    for (const member of members) {
      const next = memberOf(found, member);
      if (next === undefined) {
        const {value, path} = found;
        const walked = path.slice(1).join('.');
        const known = isObject(value) ? Object.keys(value) : [];
        const size = isArray(value) ? `a list of ${value.length}; its positions count from 0` : undefined;
        const hint = () => (size ? `\`${walked}\` is ${size}` : didYouMean(member, known));
        const message = `the variable \`${walked}\` has no member \`${member}\``;
        return this.#complain({code: 'unknown-variable', message, hint, ...at});
      }
      found = next;
    }
    return found;
  }

  #complain(problem: Problem): undefined {
    this.#report(problem);
  }
}
