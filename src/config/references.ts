import {didYouMean} from '../core/closest.ts';
import type {ArtifactRef} from '../core/pipeline.ts';
import {parseReference, type Reference} from '../core/reference.ts';
import {selectVariants} from '../core/variant-selector.ts';
import type {NodeVariants} from './matrices.ts';
import type {Path, Problem} from './problem.ts';

type Kind = 'file' | 'tree';

/** What others can refer to of one node. */
export interface Producer {
  readonly variants: NodeVariants;
  /** Kind of each output as others see it; undefined when the node is wrong and that was reported. */
  readonly outputs: Readonly<Record<string, Kind>> | undefined;
}

/** The artifacts a reference stands for. */
export interface Resolved {
  readonly refs: readonly ArtifactRef[];
  /** The reference holds a `*`. */
  readonly many: boolean;
  /** Undefined for a source that is not on disk now. */
  readonly kind: Kind | undefined;
}

/** Where a reference stands and what its place may offer for the hints. */
export interface ReferencePlace {
  readonly path: Path;
  /** The text stands in the file as it is, so that offsets in it can be shown. */
  readonly exact: boolean;
  /** Axes of the node that refers. */
  readonly axes: readonly string[];
}

type Report = (problem: Problem) => void;

/** A place with the report for what is wrong there. */
type Asked = ReferencePlace & {readonly report: Report};

/** Resolves references to artifacts; each text once. */
export class References {
  readonly #producers: ReadonlyMap<string, Producer>;
  readonly #sources: ReadonlyMap<string, Kind | undefined>;
  readonly #resolved = new Map<string, Resolved>();
  readonly #refs = new Map<string, readonly ArtifactRef[]>();

  constructor(producers: ReadonlyMap<string, Producer>, sources: ReadonlyMap<string, Kind | undefined>) {
    this.#producers = producers;
    this.#sources = sources;
  }

  /** The artifacts; undefined when the reference is wrong (reported now) or what it names is (reported there). */
  resolve(text: string, place: ReferencePlace, report: Report): Resolved | undefined {
    const before = this.#resolved.get(text);
    if (before) return before;
    const found = this.#find(text, {...place, report});
    // Single artifacts are cheap to find again, and 100 000 variants have as many texts for them.
    if (found?.many) this.#resolved.set(text, found);
    return found;
  }

  #find(text: string, place: Asked): Resolved | undefined {
    const parsed = parseReference(text);
    if (!parsed.ok) {
      const {message, start, end} = parsed.error;
      const hint = 'a reference is `source`, `node`, `node.output` or `node[axis=value].output`';
      return this.#complain('bad-reference', `\`${text}\` is not a reference: ${message}`, hint, place, [start, end]);
    }
    const reference = parsed.value;
    const {name} = reference;
    if (this.#sources.has(name)) return this.#ofSource(reference, place);
    const producer = this.#producers.get(name);
    if (producer) return this.#ofNode(reference, producer, place, text);
    const known = () => didYouMean(name, [...this.#producers.keys(), ...this.#sources.keys()]);
    return this.#complain('unknown-node', `there is no node or source \`${name}\``, known, place, [0, name.length]);
  }

  #ofSource({name, selector, output}: Reference, place: Asked): Resolved | undefined {
    if (selector || output !== undefined) {
      const message = `\`${name}\` is a source: it has no ${selector ? 'variants' : 'outputs'}`;
      return this.#complain('bad-reference', message, `write \`${name}\``, place);
    }
    return {refs: [{from: 'source', source: name}], many: false, kind: this.#sources.get(name)};
  }

  #ofNode(reference: Reference, {variants, outputs}: Producer, place: Asked, text: string): Resolved | undefined {
    if (variants.broken || !outputs) return undefined;
    const {name} = reference;
    const names = Object.keys(outputs);
    const output = reference.output ?? (names.length === 1 ? names[0] : undefined);
    const {axes, ids} = variants;
    if (output === undefined) {
      const message = `\`${name}\` has ${names.length} outputs; say which`;
      const forms = names.map((each) => `\`${fullForm(name, axes, place.axes, each)}\``).join(', ');
      return this.#complain('bad-reference', message, `write ${forms}`, place);
    }
    if (!Object.hasOwn(outputs, output)) {
      const message = `\`${name}\` has no output \`${output}\``;
      const span = [text.length - output.length, text.length] as const;
      return this.#complain('unknown-output', message, () => didYouMean(output, names), place, span);
    }
    const selected = selectVariants(reference, {name, ...variants}, 'error');
    if (!selected.ok) {
      const {code, message, hint, value, start, end} = selected.error;
      const form = `write \`${fullForm(name, axes, place.axes, names.length > 1 ? output : undefined)}\` (\`*\` stands for all values)`;
      const span = start === undefined || end === undefined ? undefined : ([start, end] as const);
      const sought = value === undefined ? {} : {sought: {value}};
      const report: Report = (problem) => place.report({...problem, ...sought});
      const asked = {...place, report};
      return this.#complain(code, message, hint ?? (code === 'bad-reference' ? form : undefined), asked, span);
    }
    const all = this.#refsTo(name, ids, output);
    const {indices, many} = selected.value;
    const refs = indices.length === all.length ? all : indices.map((index) => all[index] as ArtifactRef);
    return {refs, many, kind: outputs[output]};
  }

  /** One object per artifact, however many refer to it. */
  #refsTo(name: string, ids: readonly string[], output: string): readonly ArtifactRef[] {
    const key = `${name}.${output}`;
    const before = this.#refs.get(key);
    if (before) return before;
    const refs = ids.map((node): ArtifactRef => ({from: 'node', node, output}));
    this.#refs.set(key, refs);
    return refs;
  }

  #complain(
    code: Problem['code'],
    message: string,
    hint: Problem['hint'],
    {path, exact, report}: Asked,
    span?: readonly [number, number],
  ): undefined {
    const shown = exact && span ? {span} : {};
    report({code, message, path, at: 'value', traced: true, ...(hint ? {hint} : {}), ...shown});
  }
}

/** `train[fold=${matrix.fold},levels=*].model`: the consumer's own axis where it has one of that name. */
function fullForm(name: string, axes: readonly string[], own: readonly string[], output: string | undefined): string {
  const parts = axes.map((axis) => `${axis}=${own.includes(axis) ? `\${matrix.${axis}}` : '*'}`);
  return `${name}${parts.length > 0 ? `[${parts.join(',')}]` : ''}${output === undefined ? '' : `.${output}`}`;
}
