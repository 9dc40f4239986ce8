/**
 * Distinct short texts of one-byte characters, numbered in the order in which they were added. Two million video ids
 * take some 80 MiB here, less than half of what a Map of strings takes.
 */
export class IdIndex {
  private bytes = Buffer.alloc(1024);
  /** Where the bytes of each text end. */
  private ends = new Int32Array(64);
  /** An open hash table of the numbers, each plus 1; 0 is free. At most half full. */
  private slots = new Int32Array(128);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The number of the text; -1 when it was not added. */
  find(id: string): number {
    return (this.slots[this.slotOf(id)] as number) - 1;
  }

  /** Adds a text; characters above U+00FF would be lost. False, and nothing is done, when it is there already. */
  add(id: string): boolean {
    if (this.slots.length < 2 * (this.count + 1)) this.growSlots();
    const slot = this.slotOf(id);
    if (this.slots[slot] !== 0) return false;
    const start = this.startOf(this.count);
    const end = start + id.length;
    if (end > this.bytes.length) this.bytes = Buffer.concat([this.bytes], Math.max(end, this.bytes.length * 2));
    if (this.count === this.ends.length) this.ends = withLength(this.ends, this.count * 2);
    this.bytes.write(id, start, 'latin1');
    this.ends[this.count] = end;
    this.slots[slot] = ++this.count;
    return true;
  }

  /** The texts in the order of their numbers. */
  *[Symbol.iterator](): Generator<string, void> {
    for (let i = 0; i < this.count; i++) yield this.bytes.toString('latin1', this.startOf(i), this.ends[i]);
  }

  private startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number);
  }

  /** The slot that holds the text, or the free one where it belongs. */
  private slotOf(id: string): number {
    const mask = this.slots.length - 1;
    for (let slot = hashOf(id) & mask; ; slot = (slot + 1) & mask) {
      const index = (this.slots[slot] as number) - 1;
      if (index === -1 || this.holds(index, id)) return slot;
    }
  }

  private holds(index: number, id: string): boolean {
    const start = this.startOf(index);
    if ((this.ends[index] as number) - start !== id.length) return false;
    for (let i = 0; i < id.length; i++) if (this.bytes[start + i] !== id.charCodeAt(i)) return false;
    return true;
  }

  private growSlots(): void {
    this.slots = new Int32Array(this.slots.length * 2);
    let number = 0;
    for (const id of this) this.slots[this.slotOf(id)] = ++number;
  }
}

/** A copy with room for `length` values. */
export function withLength<T extends Int32Array | Float32Array | Uint16Array>(array: T, length: number): T {
  const longer = new (array.constructor as new (length: number) => T)(length);
  longer.set(array);
  return longer;
}

/** FNV-1a over the characters, mixed once more: the low bits alone choose the slot. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return hash ^ (hash >>> 15);
}
