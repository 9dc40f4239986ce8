import {failure, type Failure, type FailureCode} from '../core/failure.ts';
import type {Json} from '../core/json.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Pin, Pins} from '../core/pins.ts';
import {err, ok, type Result} from '../core/result.ts';
import {checkMember, pinFields, pinsVersion, type PinField} from './pin-fields.ts';

/** Reads the text of `mixdown.lock`. A problem is told with its line: people merge this file. @param path - for messages */
export function parsePins(text: string, path: string): Result<Pins> {
  try {
    return ok(new PinsReader(text).read());
  } catch (error) {
    if (error instanceof LineProblem) return err([lineFailure(error, path)]);
    throw error;
  }
}

/** What is wrong, and on which line. */
class LineProblem extends Error {
  readonly line: number;
  readonly hint: string;

  constructor(line: number, message: string, hint: string) {
    super(message);
    this.line = line;
    this.hint = hint;
  }
}

function lineFailure({line, message, hint}: LineProblem, path: string): Failure {
  const code: FailureCode = 'lock-invalid';
  const range = {file: path, line, column: 1};
  return failure(code, message, {hint, diagnostics: [{code, message, hint, range}]});
}

const remake =
  'take the file of a commit that is right (git checkout REV -- FILE), or delete it and run `mixdown lock`';
const conflictMark = /^(?:<{7}|={7}|>{7}|\|{7})(?: |$)/;

/** A node while its lines are read. */
interface Draft {
  readonly id: NodeId;
  readonly line: number;
  readonly fields: Partial<Record<PinField, Json>>;
}

/**
 * Reads line by line: the form is fixed, and a lock of ten thousand nodes is read at every run. Lines that are empty or a
 * comment are passed over, and members may stand in any order, so that an edit by hand does no harm.
 */
class PinsReader {
  readonly #lines: readonly string[];
  readonly #nodes = new Map<NodeId, Pin>();
  #at = 0;
  #targets: readonly string[] | undefined;
  #draft: Draft | undefined;
  /** The member whose own members are being read. */
  #open: {readonly key: 'outputs' | 'metrics'; readonly members: Record<string, Json>} | undefined;
  #nodesText: string | undefined;
  #version = false;

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  read(): Pins {
    for (; this.#at < this.#lines.length; this.#at++) {
      let line = this.#lines[this.#at]!;
      if (line.endsWith('\r')) line = line.slice(0, -1);
      if (line === '' || line.startsWith('#')) continue;
      if (line.startsWith('      ')) this.#readMember(line);
      else if (line.startsWith('    ')) this.#readField(line);
      else if (line.startsWith('  ')) this.#readNode(line);
      else this.#readTop(line);
    }
    this.#closeNode();
    if (!this.#version) throw this.#problem(`it does not say \`version: ${pinsVersion}\``, remake);
    if (this.#nodesText === undefined || (this.#nodesText === '' && this.#nodes.size === 0))
      throw this.#problem('it has no `nodes`: it was cut short', remake);
    if (this.#targets === undefined) throw this.#problem('it does not say which `targets` it pins', remake);
    return {targets: this.#targets, nodes: this.#nodes};
  }

  #readTop(line: string): void {
    if (conflictMark.test(line)) {
      const hint = 'take either side of each conflict and remove the marks, then `mixdown run` pins what is right';
      throw this.#problem('a conflict of a merge is not solved', hint);
    }
    const {key, text} = this.#split(line);
    switch (key) {
      case 'version':
        if (text !== String(pinsVersion)) {
          throw this.#problem(
            `version ${text} is not one that this mixdown knows`,
            'install the mixdown that wrote it',
          );
        }
        this.#version = true;
        return;
      case 'targets': {
        const value = this.#json(text);
        if (!Array.isArray(value) || !value.every((target) => typeof target === 'string')) {
          throw this.#problem('`targets` is a list of texts', remake);
        }
        this.#targets = value;
        return;
      }
      case 'nodes':
        if (text !== '' && text !== '{}') throw this.#problem('`nodes` has a line for each node below it', remake);
        this.#nodesText = text;
        return;
      default:
        throw this.#problem(`\`${key}\` is no part of a lock`, remake);
    }
  }

  #readNode(line: string): void {
    if (this.#nodesText === undefined || !line.endsWith(':')) throw this.#strange(line);
    this.#closeNode();
    const id = this.#json(line.slice(2, -1));
    if (typeof id !== 'string') throw this.#problem('the name of a node is a text in quotes', remake);
    if (this.#nodes.has(id)) {
      throw this.#problem(
        `node ${id} is here twice`,
        'a merge kept both sides: remove one of the two, then `mixdown run` pins what is right',
      );
    }
    this.#draft = {id, line: this.#at, fields: {}};
  }

  #readField(line: string): void {
    const draft = this.#draft;
    if (!draft) throw this.#strange(line);
    this.#open = undefined;
    const {key, text} = this.#split(line.slice(4));
    if (!Object.hasOwn(pinFields, key)) throw this.#problem(`\`${key}\` is no part of a node`, remake);
    const field = key as PinField;
    if (Object.hasOwn(draft.fields, field)) {
      throw this.#problem(`\`${key}\` of ${draft.id} is here twice`, 'a merge kept both sides: remove one of the two');
    }
    if (text === '' && (field === 'outputs' || field === 'metrics')) {
      const members: Record<string, Json> = {};
      this.#open = {key: field, members};
      draft.fields[field] = members;
      return;
    }
    draft.fields[field] = this.#checked(field, this.#json(text));
  }

  #readMember(line: string): void {
    const open = this.#open;
    if (!open) throw this.#strange(line);
    const [, quoted, text] = /^ {6}("(?:[^"\\]|\\.)*"):(?: (.*))?$/.exec(line) ?? [];
    const name = quoted === undefined ? undefined : this.#json(quoted);
    if (typeof name !== 'string' || text === undefined) throw this.#strange(line);
    if (Object.hasOwn(open.members, name)) {
      throw this.#problem(
        `\`${name}\` of ${this.#draft?.id} is here twice`,
        'a merge kept both sides: remove one of the two, then `mixdown run` pins what is right',
      );
    }
    const value = this.#json(text);
    const fault = checkMember(open.key, value);
    if (fault !== undefined) throw this.#problem(`\`${name}\` ${fault}`, remake);
    Object.defineProperty(open.members, name, {value, enumerable: true, configurable: true, writable: true});
  }

  #closeNode(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    this.#open = undefined;
    if (!draft) return;
    const {stage, code, params = {}, seed = 0, toolchain = {}, inputs = {}, outputs, metrics = {}} = draft.fields;
    const missing = stage === undefined ? 'stage' : code === undefined ? 'code' : isEmpty(outputs) ? 'outputs' : '';
    if (missing !== '') {
      this.#at = draft.line;
      throw this.#problem(`node ${draft.id} does not say its \`${missing}\``, remake);
    }
    const {salt, each, accepted} = draft.fields;
    const optional = {
      ...(salt === undefined ? {} : {salt}),
      ...(each === undefined ? {} : {each}),
      ...(accepted === undefined ? {} : {accepted}),
    };
    // Each field was checked when it was read.
    const pin = {stage, code, params, seed, toolchain, inputs, outputs, metrics, ...optional} as unknown as Pin;
    this.#nodes.set(draft.id, pin);
  }

  #checked(field: PinField, value: Json): Json {
    const fault = pinFields[field](value);
    if (fault !== undefined) throw this.#problem(`\`${field}\` of ${this.#draft?.id} ${fault}`, remake);
    return value;
  }

  #split(line: string): {readonly key: string; readonly text: string} {
    const colon = line.indexOf(':');
    if (colon < 0) throw this.#strange(line);
    return {key: line.slice(0, colon), text: line.slice(colon + 1).trim()};
  }

  #json(text: string): Json {
    try {
      return JSON.parse(text) as Json;
    } catch {
      throw this.#problem(`a value is no JSON: ${excerpt(text)}`, remake);
    }
  }

  #strange(line: string): LineProblem {
    return this.#problem(`this line has no place here: ${excerpt(line.trim())}`, remake);
  }

  #problem(message: string, hint: string): LineProblem {
    return new LineProblem(Math.min(this.#at, this.#lines.length - 1) + 1, message, hint);
  }
}

function isEmpty(members: Json | undefined): boolean {
  return members === undefined || Object.keys(members ?? {}).length === 0;
}

function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
