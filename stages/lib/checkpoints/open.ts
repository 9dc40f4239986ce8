import {dirname} from 'node:path/posix';
import {StageError, type InputTree, type TreeFile} from 'mixdown/stage';
import {openRandomFile, type RandomFile} from '../formats/random-file.ts';
import {readOnnx} from '../onnx/decode.ts';
import {firstOf} from '../problems.ts';
import {npzTensors, safeTensors} from './array-files.ts';
import {fileKind, type CheckpointFormat} from './file-kinds.ts';
import {manifestTensors, parseManifest} from './manifest.ts';
import type {Checkpoint, StoredTensor} from './stored-tensor.ts';
import {tensorFlowV1} from './tensorflow-v1.ts';
import {tensorFlowV2} from './tensorflow-v2.ts';

/** Which checkpoint of a folder to take, when there are several: by its format, by its path, or both. */
export interface CheckpointChoice {
  readonly format: CheckpointFormat | 'auto';
  /** Of a checkpoint in several files what their names start with is enough. Empty: the only one. */
  readonly file: string;
}

/**
 * Opens the checkpoint of a folder; other files in it do no harm. Values are read when they are asked for. Whatever happens, it
 * must be closed. Throws StageError when there is none, more than one, or one that must be converted before, and says how.
 */
export function openCheckpoint(folder: InputTree, choice: CheckpointChoice): Checkpoint {
  const opened: RandomFile[] = [];
  const open = ({file, path}: TreeFile): RandomFile => {
    const found = openRandomFile(file, `\`${path}\``);
    opened.push(found);
    return found;
  };
  const close = (): void => {
    for (const file of opened.splice(0)) file.close();
  };
  try {
    const {format, path, files} = chooseOne(folder, choice);
    return {...readTensors(folder, format, files, open), path, close};
  } catch (error) {
    close();
    throw error;
  }
}

interface Candidate {
  readonly format: CheckpointFormat;
  readonly path: string;
  /** One, or the shards of a TensorFlow checkpoint of the first version. */
  readonly files: readonly TreeFile[];
}

const SHARD = /-\d{5}-of-\d{5}$/;
const INDEX = /\.index$/;

function chooseOne(folder: InputTree, {format, file}: CheckpointChoice): Candidate {
  const found = new Map<string, Candidate>();
  const advice = new Map<string, string>();
  for (const entry of folder.entries) {
    if (
      file !== '' &&
      entry.path !== file &&
      !entry.path.startsWith(`${file}.`) &&
      !entry.path.startsWith(`${file}-`)
    ) {
      continue;
    }
    const kind = kindOf(entry);
    if (kind === undefined) continue;
    if ('convert' in kind) {
      advice.set(entry.path, kind.convert);
      continue;
    }
    if (format !== 'auto' && kind.format !== format) continue;
    const path = kind.format === 'tensorflow' ? entry.path.replace(SHARD, '') : entry.path;
    found.set(path, {format: kind.format, path, files: [...(found.get(path)?.files ?? []), entry]});
  }
  const candidates = [...found.values()];
  const [only] = candidates.length > 1 ? candidates.filter(({path}) => path === file) : candidates;
  if (only !== undefined) return only;
  if (candidates.length > 1) {
    throw new StageError(
      `the folder holds ${candidates.length} checkpoints: ${firstOf([...found.keys()])}`,
      'name the one to import with param `file`',
    );
  }
  const [unread] = advice;
  if (unread !== undefined) throw new StageError(`\`${unread[0]}\` cannot be imported as it is`, unread[1]);
  throw new StageError(
    `no weights found in: ${firstOf(folder.entries.map(({path}) => path)) || 'an empty folder'}`,
    'a TensorFlow checkpoint (one file, or .index with .data-...), .npz, .safetensors, .onnx, or a manifest (.json) with its ' +
      '.bin is needed; see param `file` and param `format`',
  );
}

function kindOf({file, path}: TreeFile): ReturnType<typeof fileKind> {
  const opened = openRandomFile(file, `\`${path}\``);
  try {
    return fileKind(opened, path);
  } finally {
    opened.close();
  }
}

type Open = (entry: TreeFile) => RandomFile;

function readTensors(
  folder: InputTree,
  format: CheckpointFormat,
  files: readonly TreeFile[],
  open: Open,
): {readonly kind: string; readonly tensors: ReadonlyMap<string, StoredTensor>} {
  const [first] = files as [TreeFile, ...TreeFile[]];
  switch (format) {
    case 'npz':
      return {kind: 'NumPy archive', tensors: npzTensors(open(first))};
    case 'safetensors':
      return {kind: 'safetensors', tensors: safeTensors(open(first))};
    case 'onnx':
      return {kind: 'ONNX', tensors: onnxTensors(first)};
    case 'manifest':
      return {kind: 'manifest', tensors: openManifest(folder, first, open)};
    case 'tensorflow':
      return INDEX.test(first.path)
        ? {kind: 'TensorFlow checkpoint, version 2', tensors: openV2(folder, first, open)}
        : {kind: 'TensorFlow checkpoint, version 1', tensors: tensorFlowV1(files.map(open))};
  }
}

/** All values are read at once: the file is one message. */
function onnxTensors({file, path}: TreeFile): ReadonlyMap<string, StoredTensor> {
  const {weights} = readOnnx(file, `\`${path}\``);
  return new Map(
    [...weights].map(([name, {shape, data}]) => [name, {shape, type: 'float32', read: () => data.slice()}]),
  );
}

/** Data files are opened when a tensor of theirs is read. */
function openV2(folder: InputTree, index: TreeFile, open: Open): ReadonlyMap<string, StoredTensor> {
  const shards = new Map<string, RandomFile>();
  return tensorFlowV2(open(index), (shard, count) => {
    const path = `${index.path.replace(INDEX, '')}.data-${digits(shard)}-of-${digits(count)}`;
    const known = shards.get(path);
    if (known !== undefined) return known;
    const entry = folder.entries.find((candidate) => candidate.path === path);
    if (entry === undefined) {
      throw new StageError(
        `\`${path}\` is missing: it holds the values of \`${index.path}\``,
        'put it beside the index',
      );
    }
    const file = open(entry);
    shards.set(path, file);
    return file;
  });
}

function digits(value: number): string {
  return String(value).padStart(5, '0');
}

function openManifest(folder: InputTree, manifest: TreeFile, open: Open): ReadonlyMap<string, StoredTensor> {
  const file = open(manifest);
  const listed = parseManifest(Buffer.from(file.read(0, file.size).buffer).toString()) ?? [];
  const values = folder.entries.filter(({path}) => path.endsWith('.bin') && dirname(path) === dirname(manifest.path));
  const [only] = values;
  if (only === undefined || values.length > 1) {
    throw new StageError(`\`${manifest.path}\` needs one .bin file of values beside it; there are ${values.length}`);
  }
  return manifestTensors(listed, open(only));
}
