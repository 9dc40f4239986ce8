import picocolors from 'picocolors';

/** Colours for words of a report; with colour off every function returns its text unchanged. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly note: (text: string) => string;
}

export function makePaint(colour: boolean): Paint {
  const {bold, dim, green, red, yellow, cyan} = picocolors.createColors(colour);
  return {bold, dim, good: green, bad: red, warn: yellow, note: cyan};
}
