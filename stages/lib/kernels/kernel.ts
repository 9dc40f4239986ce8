/** What every kernel exports beside its own functions: see assembly/memory.ts. Addresses are bytes. */
export interface Kernel {
  /** Its buffer is replaced when it grows: take a fresh view after anything that may allocate. */
  readonly memory: {readonly buffer: ArrayBuffer};
  allocate(bytes: number): number;
  release(): void;
}

/** Part of what Node knows as WebAssembly, which its type package does not declare. */
interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => {readonly exports: object};
}

/**
 * Gives the instance of a compiled kernel (a `*-wasm.ts` module's `code`), made at the first call and shared by all later ones:
 * a kernel keeps its tables. Nobody may keep a view of its memory across calls, as the next caller works in the same place.
 * Callers name the exports: `lazyKernel(code) as () => ResampleKernel`.
 */
export function lazyKernel(code: string): () => Kernel {
  let kernel: Kernel | undefined;
  return () => (kernel ??= instantiate(code));
}

function instantiate(code: string): Kernel {
  const {Module, Instance} = (globalThis as unknown as {readonly WebAssembly: WebAssemblyApi}).WebAssembly;
  return new Instance(new Module(Buffer.from(code, 'base64'))).exports as Kernel;
}
