/**
 * What makes a page hard to use for those who do not see it, use no mouse, or see little; a line each. It runs in the browser,
 * so it holds all that it needs.
 */
export function complaintsOf(): readonly string[] {
  const complaints: string[] = [];
  const shown = (selector: string): readonly HTMLElement[] =>
    [...document.querySelectorAll<HTMLElement>(selector)].filter((element) => element.checkVisibility());
  const named = (element: Element): string => `${element.outerHTML.slice(0, 100)}…`;

  for (const element of shown('button, a, input, select, [role="button"], dialog, [role="region"]')) {
    if (nameOf(element) === '') complaints.push(`has no name: ${named(element)}`);
  }
  for (const image of shown('img:not([alt]), [role="img"]:not([aria-label])')) {
    complaints.push(`has no words for its picture: ${named(image)}`);
  }
  let last = 0;
  for (const heading of shown('h1, h2, h3, h4, h5, h6')) {
    const level = Number(heading.tagName.slice(1));
    if (heading.closest('dialog') === null && level > last + 1) complaints.push(`skips a level: ${named(heading)}`);
    last = level;
  }
  if (shown('h1').length !== 1) complaints.push('has not one first heading');
  if (document.documentElement.lang === '') complaints.push('has no language');
  const ids = [...document.querySelectorAll('[id]')].map(({id}) => id);
  if (new Set(ids).size !== ids.length) complaints.push('has an id twice');
  for (const attribute of ['aria-labelledby', 'aria-controls', 'aria-describedby', 'for']) {
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      const target = element.getAttribute(attribute) ?? '';
      if (document.getElementById(target) === null) complaints.push(`points nowhere: ${named(element)}`);
    }
  }
  for (const element of document.querySelectorAll('[tabindex]')) {
    if (Number(element.getAttribute('tabindex')) > 0) complaints.push(`jumps the order of focus: ${named(element)}`);
  }
  for (const element of shown('main *, dialog *')) {
    const {overflowX, overflowY} = getComputedStyle(element);
    const wide = overflowX === 'auto' && element.scrollWidth > element.clientWidth + 1;
    const long = overflowY === 'auto' && element.scrollHeight > element.clientHeight + 1;
    const reached = element.tabIndex >= 0 || element.querySelector('a, button, [tabindex="0"]') !== null;
    if ((wide || long) && !reached) complaints.push(`scrolls out of the keyboard's reach: ${named(element)}`);
  }
  for (const table of shown('table')) {
    if (table.querySelector('th[scope]') === null) complaints.push(`has no heads: ${named(table)}`);
  }
  for (const element of shown('body *')) {
    const text = [...element.childNodes].some(
      ({nodeType, textContent}) => nodeType === 3 && textContent?.trim() !== '',
    );
    if (!text || element.matches(':disabled') || element.closest('.for-readers, svg') !== null) continue;
    const ratio = contrastOf(element);
    if (ratio < 4.5) complaints.push(`has a contrast of ${ratio.toFixed(2)}: ${named(element)}`);
  }
  return complaints;

  function nameOf(element: HTMLElement): string {
    const label = element.getAttribute('aria-label');
    if (label !== null) return label.trim();
    const by = element.getAttribute('aria-labelledby');
    if (by !== null) return document.getElementById(by)?.textContent?.trim() ?? '';
    const labels = 'labels' in element ? (element.labels as NodeListOf<HTMLElement> | null) : null;
    if (labels !== null && labels.length > 0) return labels[0]?.textContent?.trim() ?? '';
    const copy = element.cloneNode(true) as HTMLElement;
    for (const hidden of copy.querySelectorAll('[aria-hidden="true"]')) hidden.remove();
    return copy.textContent?.trim() ?? '';
  }

  function contrastOf(element: Element): number {
    const [light = 0, dark = 0] = [luminance(getComputedStyle(element).color), luminance(backOf(element))].toSorted(
      (a, b) => b - a,
    );
    return (light + 0.05) / (dark + 0.05);
  }

  function backOf(element: Element | null): string {
    if (element === null) return 'rgb(255, 255, 255)';
    const {backgroundColor} = getComputedStyle(element);
    return backgroundColor === 'rgba(0, 0, 0, 0)' ? backOf(element.parentElement) : backgroundColor;
  }

  function luminance(colour: string): number {
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map((channel) => {
      const share = Number(channel) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
}
