export type StopReason = 'cancelled' | 'timed-out';

export interface StopOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
  readonly graceMs: number;
  /** Asks the job to end. */
  readonly ask: (reason: StopReason) => void;
  /** Ends it. */
  readonly kill: () => void;
}

/** Watches over one running job. */
export interface Stopper {
  /** Why the job was told to stop; undefined as long as it was not. */
  reason(): StopReason | undefined;
  dispose(): void;
}

/** Longest delay a timer takes; a longer one would fire at once. */
const maxDelayMs = 2 ** 31 - 1;

/** Asks when the signal aborts or the time is up, whichever comes first, and kills when the grace has passed. */
export function watchStop({signal, timeoutMs, graceMs, ask, kill}: StopOptions): Stopper {
  let reason: StopReason | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let grace: NodeJS.Timeout | undefined;
  const stop = (why: StopReason): void => {
    if (reason !== undefined) return;
    reason = why;
    clearTimeout(deadline);
    grace = setTimeout(kill, Math.min(graceMs, maxDelayMs));
    ask(why);
  };
  const onAbort = (): void => stop('cancelled');
  if (timeoutMs !== undefined) deadline = setTimeout(stop, Math.min(timeoutMs, maxDelayMs), 'timed-out');
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, {once: true});
  return {
    reason: () => reason,
    dispose() {
      clearTimeout(deadline);
      clearTimeout(grace);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
