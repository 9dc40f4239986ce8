/**
 * Room for a text in pixels, not less than what it takes in any usual sans-serif font of the size: pictures are laid out
 * without one.
 */
export function textWidth(text: string, size = 12): number {
  let ems = 0;
  for (const character of text) ems += emsOf(character);
  return ems * size;
}

/** The text, or its start with an ellipsis where it takes more room than `most` pixels. */
export function shorten(text: string, most: number, size = 12): string {
  if (textWidth(text, size) <= most) return text;
  let width = textWidth('…', size);
  let short = '';
  for (const character of text) {
    width += textWidth(character, size);
    if (width > most) break;
    short += character;
  }
  return `${short.trimEnd()}…`;
}

function emsOf(character: string): number {
  if (/\p{Mark}/u.test(character)) return 0;
  if (/[ilj.,:;'|!()[\]]/.test(character)) return 0.4;
  if (/[mwMW@%]/.test(character)) return 1;
  if (/[A-Z&]/.test(character)) return 0.76;
  return (character.codePointAt(0) ?? 0) < 0x1100 ? 0.64 : 1.1;
}
