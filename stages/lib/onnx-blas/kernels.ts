import {code} from '../kernels/tensors-wasm.ts';

/** Functions that `apply` knows. */
export const ELEMENT_FUNCTIONS = {exp: 0, tanh: 1} as const;
type ElementFunction = (typeof ELEMENT_FUNCTIONS)[keyof typeof ELEMENT_FUNCTIONS];

/**
 * Exports of assembly/tensors.ts. Addresses are bytes in the imported memory, `count`, `rows` and `columns` are values of
 * float32; 0 stands for an operand that is not there.
 */
export interface TensorKernels {
  apply(f: ElementFunction, x: number, y: number, count: number): void;
  dropoutMask(mask: number, count: number, threshold: number, keep: number, key0: number, key1: number): void;
  adam(
    values: number,
    gradient: number,
    first: number,
    second: number,
    count: number,
    rate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
  ): void;
  columnSums(x: number, rows: number, columns: number, scale: number, totals: number, sums: number): void;
  columnMoments(x: number, rows: number, columns: number, totals: number, mean: number, variance: number): void;
  columnPairSums(
    dy: number,
    x: number,
    rows: number,
    columns: number,
    totals: number,
    sums: number,
    products: number,
  ): void;
  rowSums(x: number, rows: number, columns: number, scale: number, sums: number): void;
  affine(x: number, scale: number, shift: number, y: number, rows: number, columns: number): void;
  blend(dy: number, x: number, a: number, b: number, c: number, out: number, rows: number, columns: number): void;
  addBias(y: number, bias: number, rows: number, columns: number, rectify: boolean): void;
  lstmCell(
    z: number,
    before: number,
    gates: number,
    cell: number,
    squashed: number,
    hidden: number,
    rows: number,
    units: number,
  ): void;
  lstmCellGradient(
    gates: number,
    squashed: number,
    before: number,
    dHidden: number,
    dCell: number,
    dz: number,
    dBefore: number,
    rows: number,
    units: number,
  ): void;
  transpose(from: number, to: number, rows: number, columns: number): void;
  copyRows(from: number, fromStep: number, to: number, toStep: number, bytes: number, rows: number): void;
  repeatRows(from: number, to: number, bytes: number, rows: number, times: number): void;
  /** `geometry`: 13 values of int32, see assembly/tensors-patches.ts. */
  patchRows(x: number, rows: number, first: number, end: number, geometry: number): void;
  patchColumns(planes: number, rows: number, first: number, end: number, images: number, geometry: number): void;
  maxPoolGradient(
    x: number,
    dy: number,
    dx: number,
    images: number,
    height: number,
    width: number,
    channels: number,
  ): void;
  product(a: number, b: number, c: number, m: number, k: number, n: number, transposed: boolean, panels: number): void;
}

/** Part of what Node knows as WebAssembly, which its type package does not declare. */
interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => {readonly exports: object};
}

/** The kernels on a memory, a WebAssembly.Memory. They hold no data in it. */
export function loadTensorKernels(memory: object): TensorKernels {
  const {Module, Instance} = (globalThis as unknown as {readonly WebAssembly: WebAssemblyApi}).WebAssembly;
  return new Instance(new Module(Buffer.from(code, 'base64')), {env: {memory}}).exports as TensorKernels;
}
