/** Bytes of a row of `classes` bits. */
export function multiHotBytes(classes: number): number {
  return Math.ceil(classes / 8);
}

/**
 * Sets the bit of each class in an empty row: class c is bit 7 - c % 8 of byte floor(c / 8), the highest bit first. This is what
 * numpy.packbits writes and numpy.unpackbits(row, count=classes) reads, both with their default bitorder='big'.
 */
export function setClasses(row: Uint8Array, classes: readonly number[]): void {
  for (const c of classes) row[c >> 3] = (row[c >> 3] as number) | (128 >> (c & 7));
}

/** Calls back with each class whose bit is set, in rising order. */
export function eachClass(row: Uint8Array, visit: (classIndex: number) => void): void {
  for (let i = 0; i < row.length; i++) {
    const byte = row[i] as number;
    if (byte === 0) continue;
    for (let bit = 0; bit < 8; bit++) if (byte & (128 >> bit)) visit(i * 8 + bit);
  }
}
