/** Text for the inside of an element or of a quoted attribute. */
export function htmlText(text: string): string {
  const marks: Readonly<Record<string, string>> = {'<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;', "'": '&#39;'};
  return text.replaceAll(/[<>&"']/g, (mark) => marks[mark] ?? mark);
}
