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
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  if (!text.startsWith('\x93NUMPY')) return undefined;
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (descr === undefined || shape === undefined) return undefined;
  const sizes = shape.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  return {dtype: dtypeName(descr), shape: sizes};
}

/** `float32 (114, 96, 64)`. */
export function arrayText({dtype, shape}: ArrayHeader): string {
  return `${dtype} (${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
}

function dtypeName(descr: string): string {
  const [, kind = '', bytes = ''] = /^[<>|=]?([fiub])(\d+)$/.exec(descr) ?? [];
  if (kind === 'b') return 'bool';
  const name = KINDS[kind];
  return name === undefined ? descr : `${name}${8 * Number(bytes)}`;
}

const KINDS: Readonly<Record<string, string>> = {f: 'float', i: 'int', u: 'uint'};
