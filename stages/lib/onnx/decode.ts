import {readFileSync, statSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import {WireReader} from '../formats/wire-reader.ts';
import type {NamedArray} from '../tensors/named-array.ts';
import {MAX_MODEL_BYTES} from './encode.ts';
import {readTensor, type ReadTensor} from './read-tensor.ts';

/** What an ONNX file holds, as far as it is of use here. */
export interface DecodedModel {
  /** The initialisers of floating-point type, as float32. */
  readonly weights: ReadonlyMap<string, NamedArray>;
  /** Names of the initialisers of other types, with the type's number in onnx.proto. */
  readonly others: ReadonlyMap<string, number>;
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the file. */
  readonly nodes: readonly DecodedNode[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface DecodedNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Reads an ONNX file of less than 2 GB. `name` stands for it in messages. Throws StageError as `decodeModel` does. */
export function readOnnx(path: string, name = 'the .onnx file'): DecodedModel {
  const {size} = statSync(path);
  if (size > MAX_MODEL_BYTES) throw broken(name, `it has ${size} bytes; the format ends at 2 GB`);
  return decodeModel(readFileSync(path), name);
}

/**
 * Decodes the bytes of an ONNX file. Throws StageError when they are not one, when an initialiser does not have the size of
 * its shape, and when values lie in another file.
 */
export function decodeModel(bytes: Uint8Array, name = 'the .onnx file'): DecodedModel {
  const reader = new WireReader(bytes, (message) => broken(name, message));
  const parts: Parts = {weights: new Map(), others: new Map(), metadata: {}, nodes: [], inputs: [], outputs: []};
  let graphs = 0;
  while (reader.next()) {
    if (reader.field === 7) {
      graphs++;
      readGraph(reader, parts, (message, hint) => broken(name, message, hint));
    } else if (reader.field === 14) readProperty(reader, parts.metadata);
    else reader.skip();
  }
  if (graphs === 0) throw broken(name, 'it has no graph');
  const names = new Set([...parts.weights.keys(), ...parts.others.keys()]);
  // Older files list the initialisers among the inputs.
  return {...parts, inputs: parts.inputs.filter((input) => !names.has(input))};
}

interface Parts {
  readonly weights: Map<string, NamedArray>;
  readonly others: Map<string, number>;
  readonly metadata: Record<string, string>;
  readonly nodes: DecodedNode[];
  readonly inputs: string[];
  readonly outputs: string[];
}

type Fail = (message: string, hint?: string) => StageError;

function readGraph(reader: WireReader, parts: Parts, fail: Fail): void {
  const outer = reader.enter('the graph');
  while (reader.next()) {
    if (reader.field === 1) parts.nodes.push(readNode(reader));
    else if (reader.field === 5) keepTensor(readTensor(reader, fail), parts);
    else if (reader.field === 11) parts.inputs.push(readName(reader, 'an input'));
    else if (reader.field === 12) parts.outputs.push(readName(reader, 'an output'));
    else reader.skip();
  }
  reader.leave(outer);
}

function keepTensor({name, type, array}: ReadTensor, {weights, others}: Parts): void {
  if (array === undefined) others.set(name, type);
  else weights.set(name, array);
}

function readNode(reader: WireReader): DecodedNode {
  const node = {name: '', op: '', inputs: [] as string[], outputs: [] as string[]};
  const outer = reader.enter('a node');
  while (reader.next()) {
    if (reader.field === 1) node.inputs.push(reader.text('an input of a node'));
    else if (reader.field === 2) node.outputs.push(reader.text('an output of a node'));
    else if (reader.field === 3) node.name = reader.text('the name of a node');
    else if (reader.field === 4) node.op = reader.text('the operator of a node');
    else reader.skip();
  }
  reader.leave(outer);
  return node;
}

/** Of a value's description, its name in field 1. */
function readName(reader: WireReader, what: string): string {
  let name = '';
  const outer = reader.enter(what);
  while (reader.next()) {
    if (reader.field === 1) name = reader.text(what);
    else reader.skip();
  }
  reader.leave(outer);
  return name;
}

function readProperty(reader: WireReader, metadata: Record<string, string>): void {
  let [key, value] = ['', ''];
  const outer = reader.enter('the metadata');
  while (reader.next()) {
    if (reader.field === 1) key = reader.text('a key of the metadata');
    else if (reader.field === 2) value = reader.text('a value of the metadata');
    else reader.skip();
  }
  reader.leave(outer);
  Object.defineProperty(metadata, key, {value, enumerable: true, configurable: true, writable: true});
}

function broken(name: string, message: string, hint?: string): StageError {
  return new StageError(`${name} is not a usable ONNX file: ${message}`, hint);
}
