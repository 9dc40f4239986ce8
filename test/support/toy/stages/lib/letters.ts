/** Letters a to z in a text. */
export function letters(text: string): number {
  return text.replace(/[^a-z]/gi, '').length;
}
