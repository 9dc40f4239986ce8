/** Memory that lives until `release`. May grow the memory, which detaches every view of it. */
export function allocate(bytes: i32): usize {
  return heap.alloc(<usize>bytes);
}

/** Forgets everything ever allocated, tables of transforms included. */
export function release(): void {
  heap.reset();
}
