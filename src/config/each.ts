import type {EachCollection, PipelineNode} from '../core/pipeline.ts';
import {bindCollection, placeOf} from './bindings.ts';
import type {Path} from './problem.ts';
import {perVariant, type PerVariant, type Scope} from './scope.ts';
import type {Resolve} from './template.ts';

/** One `port: collection` of `each` and where it stands. */
export interface EachEntry {
  readonly port: string;
  readonly value: string;
  readonly path: Path;
}

/** The collections of a node's `each` by variant; undefined without one. Those that are wrong are reported and left out. */
export function bindEach(
  name: string,
  entries: readonly EachEntry[],
  resolve: Resolve,
  scope: Scope,
): PerVariant<PipelineNode['each']> {
  const {axes} = scope.matrices.of(name);
  const readers = entries.map(({port, value, path}) => {
    const place = placeOf(value, path, axes);
    const collection = perVariant(value, path, resolve, scope, (found, report) =>
      bindCollection(found, place, scope, report),
    );
    return {port, collection};
  });
  return (variant) => {
    const [leading, ...others] = readers.flatMap(({port, collection: read}): EachCollection[] => {
      const collection = read?.(variant);
      return collection ? [{port, collection}] : [];
    });
    return leading && [leading, ...others];
  };
}
