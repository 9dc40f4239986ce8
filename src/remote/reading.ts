/** What came of reading one part of a configuration: its value, or what is wrong with it. */
export type Reading<T> = {readonly ok: true; readonly value: T} | ({readonly ok: false} & Mistake);

/** No message holds the text that was read: it may be a secret. */
export interface Mistake {
  readonly message: string;
  readonly hint?: string;
}

export function right<T>(value: T): Reading<T> {
  return {ok: true, value};
}

export function mistake(message: string, hint?: string): {readonly ok: false} & Mistake {
  return {ok: false, message, ...(hint === undefined ? {} : {hint})};
}
