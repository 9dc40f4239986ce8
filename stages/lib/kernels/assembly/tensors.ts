// Kernels on the memory of the tensor library's WebAssembly engine, which they import: they hold no data and allocate none.
// Addresses are bytes, values float32 in C order.
export {adam, apply, dropoutMask} from './tensors-elements';
export {addBias, affine, blend, columnMoments, columnPairSums, columnSums, rowSums} from './tensors-columns';
export {lstmCell, lstmCellGradient} from './tensors-lstm';
export {copyRows, repeatRows, transpose} from './tensors-moves';
export {patchColumns, patchRows} from './tensors-patches';
export {maxPoolGradient} from './tensors-pool';
export {product} from './tensors-product';
