import {StageError} from 'mixdown/stage';
import type {RandomFile} from '../formats/random-file.ts';
import {zipMembers} from '../formats/zip.ts';
import {parseManifest} from './manifest.ts';
import {hasSstableFooter} from './sstable.ts';

/** Kinds of files that hold weights, and can be read. */
export const CHECKPOINT_FORMATS = ['tensorflow', 'npz', 'safetensors', 'onnx', 'manifest'] as const;
export type CheckpointFormat = (typeof CHECKPOINT_FORMATS)[number];

/** What a file is: weights, weights that cannot be read but can be converted, or anything else. */
export type FileKind = {readonly format: CheckpointFormat} | {readonly convert: string} | undefined;

/** Tells by the content, and by the name where the content does not tell. */
export function fileKind(file: RandomFile, path: string): FileKind {
  const start = Buffer.from(file.read(0, Math.min(file.size, 9)).buffer);
  if (hasSstableFooter(file)) return {format: 'tensorflow'};
  if (start.subarray(0, 4).equals(ZIP)) return zipKind(file);
  if (start.subarray(0, 4).equals(HDF5)) return {convert: KERAS};
  if (/\.onnx$/i.test(path)) return {format: 'onnx'};
  if (/\.json$/i.test(path)) return jsonKind(file);
  if (/\.(pt|pth)$/i.test(path) || (start[0] === PICKLE && /\.(pkl|bin|ckpt)$/i.test(path))) return {convert: TORCH};
  if (isSafeTensors(file, start)) return {format: 'safetensors'};
  // Damaged or cut short: the reader of the format says what is wrong.
  return NAMED.find(({pattern}) => pattern.test(path));
}

const ZIP = Buffer.from([0x50, 0x4b, 0x03, 0x04]);
const HDF5 = Buffer.from([0x89, 0x48, 0x44, 0x46]);
const PICKLE = 0x80;
/** A manifest is a few kilobytes of text. */
const MOST_JSON_BYTES = 2 ** 24;

const NAMED: readonly {readonly pattern: RegExp; readonly format: CheckpointFormat}[] = [
  {pattern: /\.ckpt(-\d+)?$|\.index$/i, format: 'tensorflow'},
  {pattern: /\.npz$/i, format: 'npz'},
  {pattern: /\.safetensors$/i, format: 'safetensors'},
];

const TORCH =
  'a PyTorch file is a program that builds the weights, and is not run here; where Python has torch, make an .npz of it:\n' +
  "    import numpy, torch; state = torch.load('vggish.pth', map_location='cpu')\n" +
  "    numpy.savez('vggish.npz', **{name: values.numpy() for name, values in state.items()})";
const KERAS =
  'HDF5 files of Keras are not read here; where Python has h5py, make an .npz of it:\n' +
  '    import h5py, numpy; found = {}; keep = lambda n, d: found.update({n: d[()]}) if isinstance(d, h5py.Dataset) else None\n' +
  "    h5py.File('yamnet.h5').visititems(keep); numpy.savez('yamnet.npz', **found)";

function zipKind(file: RandomFile): FileKind {
  const members = zipMembers(file, (what) => new StageError(`${file.name} is not a usable archive: ${what}`));
  if (members.some(({name}) => name.endsWith('data.pkl'))) return {convert: TORCH};
  return members.some(({name}) => name.endsWith('.npy')) ? {format: 'npz'} : undefined;
}

function jsonKind(file: RandomFile): FileKind {
  if (file.size > MOST_JSON_BYTES) return undefined;
  const text = Buffer.from(file.read(0, file.size).buffer).toString();
  return parseManifest(text) === undefined ? undefined : {format: 'manifest'};
}

/** The length of a header that lies in the file, and the brace that starts it. */
function isSafeTensors(file: RandomFile, start: Buffer): boolean {
  return start.length === 9 && Number(start.readBigUInt64LE(0)) <= file.size - 8 && start[8] === 0x7b;
}
