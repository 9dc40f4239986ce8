/** How many lines a text has: what follows the last line break is one only if there is something. */
export function lineCount(text: string): number {
  return text.replace(/\n$/, '').split('\n').length;
}
