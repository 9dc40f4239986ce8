import {didYouMean} from '../core/closest.ts';
import {isArray, isObject, type Json, type JsonObject} from '../core/json.ts';
import type {Path, Problem} from './problem.ts';
import {compileTemplate, type Placeholder, type Resolve} from './template.ts';

/** The document's `vars`, each with the references inside it replaced at its first use. */
export class Variables {
  readonly #raw: JsonObject;
  readonly #report: (problem: Problem) => void;
  readonly #values = new Map<string, {readonly value: Json} | undefined>();
  /** Variables being worked out now, to notice a circle. */
  readonly #open: string[] = [];

  constructor(raw: JsonObject, report: (problem: Problem) => void) {
    this.#raw = raw;
    this.#report = report;
  }

  /** Works out every variable, so that mistakes in unused ones are found too. */
  checkAll(): void {
    for (const name of Object.keys(this.#raw)) this.#valueOf(name);
  }

  /** The value of `${vars.a.b}`; undefined after reporting what is wrong. */
  resolve(placeholder: Placeholder, path: Path): {readonly value: Json} | undefined {
    const [, name, ...members] = placeholder.parts;
    const at = {path, at: 'value', span: placeholder.span} as const;
    if (name === undefined || !Object.hasOwn(this.#raw, name)) {
      const known = Object.keys(this.#raw);
      const hint = () =>
        name === undefined ? 'write `${vars.NAME}`' : (didYouMean(name, known) ?? 'give it a value in `vars`');
      const message = name === undefined ? '`vars` alone is not a variable' : `unknown variable \`${name}\``;
      this.#report({code: 'unknown-variable', message, hint, ...at});
      return undefined;
    }
    if (this.#open.includes(name)) {
      const circle = [...this.#open.slice(this.#open.indexOf(name)), name].join(' -> ');
      this.#report({code: 'cycle', message: `variables refer to each other in a circle: ${circle}`, ...at});
      return undefined;
    }
    const found = this.#valueOf(name);
    return found && this.#descend(found.value, name, members, at);
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
    this.#report({code: 'bad-reference', message, hint, path, at: 'value', span: placeholder.span});
    return undefined;
  };

  #descend(
    from: Json,
    name: string,
    members: readonly string[],
    at: Pick<Problem, 'path' | 'at' | 'span'>,
  ): {readonly value: Json} | undefined {
    let value = from;
    let walked = name;
    for (const member of members) {
      const next = isArray(value) ? value[/^\d+$/.test(member) ? Number(member) : -1] : ownMember(value, member);
      if (next === undefined) {
        const known = isObject(value) ? Object.keys(value) : [];
        const size = isArray(value) ? `a list of ${value.length}; its positions count from 0` : undefined;
        const hint = () => (size ? `\`${walked}\` is ${size}` : didYouMean(member, known));
        const message = `the variable \`${walked}\` has no member \`${member}\``;
        this.#report({code: 'unknown-variable', message, hint, ...at});
        return undefined;
      }
      value = next;
      walked = `${walked}.${member}`;
    }
    return {value};
  }
}

function ownMember(value: Json, member: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, member) ? value[member] : undefined;
}
