import type {ArrayHeader} from '../core/array-header.ts';

export {arrayHeaderBytes, readArrayHeader, type ArrayHeader} from '../core/array-header.ts';

/** `float32 (114, 96, 64)`. */
export function arrayText({dtype, shape}: ArrayHeader): string {
  return `${dtype} (${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
}
