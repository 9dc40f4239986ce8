/** What the user's signals mean for a run. */
export interface Interrupts {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
  /** Aborted by the second. */
  readonly kill: AbortSignal;
  /** Stops listening. */
  dispose(): void;
}

/**
 * The first SIGINT or SIGTERM asks to stop, the second kills, the third ends this process at once.
 *
 * @param onSignal - told how many there were, before they take effect
 */
export function listenForInterrupts(onSignal: (times: number) => void): Interrupts {
  const stop = new AbortController();
  const kill = new AbortController();
  let times = 0;
  const listen = (): void => {
    times++;
    if (times > 2) process.exit(130);
    onSignal(times);
    (times === 1 ? stop : kill).abort();
  };
  process.on('SIGINT', listen);
  process.on('SIGTERM', listen);
  return {
    stop: stop.signal,
    kill: kill.signal,
    dispose() {
      process.off('SIGINT', listen);
      process.off('SIGTERM', listen);
    },
  };
}

/** Ctrl-Z gives the terminal back before the process stops; `fg` takes it again. Returns the way to stop listening. */
export function listenForSuspend(suspend: () => void, resume: () => void): () => void {
  const onStop = (): void => {
    suspend();
    process.kill(process.pid, 'SIGSTOP');
  };
  process.on('SIGTSTP', onStop);
  process.on('SIGCONT', resume);
  return () => {
    process.off('SIGTSTP', onStop);
    process.off('SIGCONT', resume);
  };
}
