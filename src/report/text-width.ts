/**
 * Columns that a text takes in a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks and
 * control characters. Escape sequences count nothing.
 */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const {segment} of graphemes(stripEscapes(text))) width += graphemeWidth(segment);
  return width;
}

/** Cuts to at most `columns` columns, with an ellipsis when something was cut. Takes text without escapes. */
export function truncate(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (textWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const {segment} of graphemes(text)) {
    const next = graphemeWidth(segment);
    if (width + next > columns - 1) break;
    kept += segment;
    width += next;
  }
  return `${kept}…`;
}

/** Adds spaces up to `columns` columns. */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - textWidth(text))) + text;
}

/**
 * Text from outside made safe for one terminal: no escape sequences, no cursor movement, tabs as spaces. Lines stay
 * lines; of a line that was rewritten by carriage returns the last state stays.
 */
export function printable(text: string): string {
  return stripEscapes(text)
    .split('\n')
    .map((line) => {
      const whole = line.replace(/\r+$/, '');
      return whole
        .slice(whole.lastIndexOf('\r') + 1)
        .replaceAll('\t', '    ')
        .replace(controls, '');
    })
    .join('\n');
}

function stripEscapes(text: string): string {
  return text.includes('\u001b') ? text.replace(escapes, '') : text;
}

// CSI sequences, OSC strings up to BEL or ST, and two-character escapes.
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const nothing = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;

function graphemes(text: string): Intl.Segments {
  return new Intl.Segmenter('en', {granularity: 'grapheme'}).segment(text);
}

function graphemeWidth(segment: string): number {
  if (nothing.test(segment)) return 0;
  return wide.test(segment) ? 2 : 1;
}
