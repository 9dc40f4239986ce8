import type {Emit} from '../core/events.ts';

/** A consumer of a run's events. */
export interface Reporter {
  readonly emit: Emit;
  /** Gives back what it holds (cursor, timers, open files). May be called more than once. */
  readonly close: () => void;
}
