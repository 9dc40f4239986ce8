/** Reports at most ten times a second; the last value of a burst is reported late rather than never. */
export interface ProgressThrottle {
  /** `fraction` is brought into 0 ... 1; NaN counts as 0. */
  readonly report: (fraction: number, message?: string) => void;
  dispose(): void;
}

const intervalMs = 100;

export function createProgressThrottle(send: (fraction: number, message?: string) => void): ProgressThrottle {
  let sentAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let latest: {fraction: number; message: string | undefined} | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (!latest) return;
    sentAt = performance.now();
    send(latest.fraction, latest.message);
    latest = undefined;
  };
  return {
    report(fraction, message) {
      latest = {fraction: Math.min(1, Math.max(0, fraction || 0)), message};
      const wait = sentAt + intervalMs - performance.now();
      if (wait <= 0) flush();
      else timer ??= setTimeout(flush, wait).unref();
    },
    dispose() {
      clearTimeout(timer);
      latest = undefined;
    },
  };
}
