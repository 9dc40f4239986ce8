/** One thing that was looked at. `bad` keeps mixdown from working; `warn` makes it slower or larger than it could be. */
export interface Finding {
  readonly what: string;
  readonly state: 'good' | 'note' | 'warn' | 'bad';
  readonly text: string;
  readonly hint?: string;
}
