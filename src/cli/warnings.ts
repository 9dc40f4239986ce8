import type {Emit} from '../core/events.ts';
import type {Failure} from '../core/failure.ts';
import type {Context} from './context.ts';

/** Where the store's warnings go: each is told once. */
export interface Warnings {
  readonly warn: (failure: Failure) => void;
  /** From now on, and for those that wait, warnings are events of the run; until the returned function is called. */
  attach(emit: Emit): () => void;
  /** Tells those that wait, when there was no run to tell them. */
  flush(): void;
}

/** Remarks on stderr, each once. */
export function warnOnce({warn}: Pick<Context, 'warn'>): (failure: Failure) => void {
  const told = new Set<string>();
  return (failure) => {
    if (told.has(failure.message)) return;
    told.add(failure.message);
    warn(failure);
  };
}

/** Holds warnings back until there is a run whose events they can be: they must not write across its live view. */
export function collectWarnings({warn, io}: Pick<Context, 'warn' | 'io'>): Warnings {
  const waiting: Failure[] = [];
  let emit: Emit | undefined;
  let after = false;
  return {
    warn: warnOnce({
      warn(failure) {
        if (emit) emit({type: 'warning', at: io.now(), failure});
        else if (after) warn(failure);
        else waiting.push(failure);
      },
    }),
    attach(target) {
      emit = target;
      for (const failure of waiting.splice(0)) target({type: 'warning', at: io.now(), failure});
      return () => {
        emit = undefined;
        after = true;
      };
    },
    flush() {
      waiting.splice(0).forEach(warn);
    },
  };
}
