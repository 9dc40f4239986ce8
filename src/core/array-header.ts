/** Shape and element type that an `.npy` file states in its header. */
export interface ArrayHeader {
  /** As NumPy calls it: `float32`. What has no such name stays as the header writes it. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Bytes that hold any header of version 1 written by NumPy for a plain array. */
export const arrayHeaderBytes = 4096;

/** Reads the header from the first bytes of a file; undefined when that is no `.npy` file. Source: NumPy, NEP 1. */
export function readArrayHeader(head: Uint8Array): ArrayHeader | undefined {
  const text = latin1(head);
  if (!text.startsWith('\x93NUMPY')) return undefined;
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (descr === undefined || shape === undefined) return undefined;
  const sizes = shape.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  return {dtype: dtypeName(descr), shape: sizes};
}

/** Where the values of an `.npy` file begin, and whether they are big endian; undefined when that is no such file. */
export function readArrayLayout(head: Uint8Array): (ArrayHeader & {offset: number; bigEndian: boolean}) | undefined {
  const header = readArrayHeader(head);
  if (header === undefined || head.length < 12) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const offset = head[6] === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  return {...header, offset, bigEndian: /'descr':\s*'>/.test(latin1(head))};
}

function latin1(head: Uint8Array): string {
  return Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
}

function dtypeName(descr: string): string {
  const [, kind = '', bytes = ''] = /^[<>|=]?([fiub])(\d+)$/.exec(descr) ?? [];
  if (kind === 'b') return 'bool';
  const name = KINDS[kind];
  return name === undefined ? descr : `${name}${8 * Number(bytes)}`;
}

const KINDS: Readonly<Record<string, string>> = {f: 'float', i: 'int', u: 'uint'};
