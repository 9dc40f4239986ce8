import {StageError} from 'mixdown/stage';
import type {Layout} from './layout.ts';

/** How a program may have called a tensor. */
export interface KnownName {
  /** Segments joined by `/`. */
  readonly name: string;
  /** The layout that decides where the shape does not. */
  readonly layout: Layout;
  /** For weights after the flattening of an image: whether its order is known to be row, column, channel. */
  readonly flattensRowsFirst?: boolean;
}

/** Finds tensors by the ends of their names. */
export interface TensorNames {
  /** The first of the known names that a tensor has; the tensor's own name with it. Throws StageError when two have it. */
  find(known: readonly KnownName[]): (KnownName & {readonly found: string}) | undefined;
}

/**
 * Names of the tensors of a checkpoint. Scopes before a known name do not count, nor do the dots of PyTorch, the `:0` of graphs
 * and the ends of names in a SavedModel.
 */
export function tensorNames(names: Iterable<string>): TensorNames {
  const plain = [...names].map((name) => ({name, plain: `/${plainName(name)}`}));
  return {
    find(known) {
      for (const candidate of known) {
        const exact = plain.filter((one) => one.plain === `/${candidate.name}`);
        const matches = exact.length > 0 ? exact : plain.filter((one) => one.plain.endsWith(`/${candidate.name}`));
        const [first, second] = matches;
        if (first !== undefined && second !== undefined) {
          throw new StageError(
            `both \`${first.name}\` and \`${second.name}\` may be \`${candidate.name}\``,
            'say which with param `names`',
          );
        }
        if (first !== undefined) return {...candidate, found: first.name};
      }
      return undefined;
    },
  };
}

function plainName(name: string): string {
  return name
    .replace(/\/\.ATTRIBUTES\/VARIABLE_VALUE$/, '')
    .replace(/:\d+$/, '')
    .replaceAll('.', '/');
}
