/** Elements that run, embed or fetch something. */
const dropped = '(?:[\\w-]+:)?(?:script|foreignObject|iframe|object|embed|audio|video|link|meta|handler)';
/** A drawing has none of them; what has many is not worth the time. */
const mostDropped = 100;

/**
 * An SVG without scripts and without anything that is fetched: what cannot be cleaned for sure gives undefined. The page
 * shows it as an image, where no script runs anyway; this keeps one from running for somebody who opens the image by itself.
 * Takes time linear in the text.
 */
export function cleanSvg(text: string): string | undefined {
  // Entities could spell out anything that is looked for below.
  if (/<!ENTITY/i.test(text)) return undefined;
  // Style sheets come in such sections.
  let svg = text.trim().replaceAll(/<!\[CDATA\[([^<]{0,100000})\]\]>/g, '$1');
  for (const [from, to] of [
    ['<!--', '-->'],
    ['<?', '?>'],
    ['<!', '>'],
  ] as const) {
    svg = withoutParts(svg, from, to);
  }
  if ((svg.match(new RegExp(`<${dropped}\\b`, 'gi')) ?? []).length > mostDropped) return undefined;
  svg = svg
    .replaceAll(new RegExp(`<${dropped}\\b[^>]*?/>`, 'gi'), '')
    .replaceAll(new RegExp(`<(${dropped})\\b[^]*?</\\1\\s*>`, 'gi'), '')
    .replaceAll(/\son[\w-]+\s*=\s*("[^"]*"|'[^']*')/gi, '')
    .replaceAll(/\s((?:[\w-]+:)?href|src)\s*=\s*("[^"]*"|'[^']*')/gi, (whole, _, value: string) =>
      /^["'](#|data:image\/(png|jpe?g|gif|webp);base64,)/i.test(value) ? whole : '',
    )
    .replaceAll(/url\(\s*(?!["']?#)[^)]{0,2000}\)/gi, 'none')
    .replaceAll(/@import[^;]*;?/gi, '');
  return isClean(svg) ? svg.trim() : undefined;
}

/** One that is not closed stays, and is refused later. */
function withoutParts(text: string, from: string, to: string): string {
  let kept = '';
  let at = 0;
  for (let open = text.indexOf(from); open >= 0; open = text.indexOf(from, at)) {
    const close = text.indexOf(to, open + from.length);
    if (close < 0) break;
    kept += text.slice(at, open);
    at = close + to.length;
  }
  return kept + text.slice(at);
}

function isClean(svg: string): boolean {
  if (!/^\s*<svg[\s>]/i.test(svg) || !/<\/svg\s*>\s*$/i.test(svg)) return false;
  const scripted = new RegExp(`<\\s*${dropped}\\b|javascript:|\\son[\\w-]+\\s*=|<!|<\\?`, 'i');
  const fetching =
    /(?:href|src)\s*=\s*(?!["'](?:#|data:image\/(?:png|jpe?g|gif|webp);base64,))|@import|url\(\s*(?!["']?#)/i;
  return !scripted.test(svg) && !fetching.test(svg);
}
