import type {ActionResult} from '../core/action.ts';

/** Longer texts are no names. */
const longest = 500;

/** One line of text that does nothing to a terminal. */
export function isShowable(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longest && /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u.test(value);
}

/** Whether what a result of others says of its making can be shown to people. */
export function hasShowableMaking({metrics, execution}: Pick<ActionResult, 'metrics' | 'execution'>): boolean {
  const {runId, device, host, startedAt, wallMs, cpuMs, maxRssBytes} = execution;
  const numbers: readonly unknown[] = [startedAt, wallMs, cpuMs, maxRssBytes];
  return (
    [runId, device, host].every(isShowable) &&
    numbers.every(Number.isFinite) &&
    // The stage that is here has chosen their names, and may have chosen any.
    !Object.keys(metrics).some((name) => /\p{Cc}/u.test(name))
  );
}
