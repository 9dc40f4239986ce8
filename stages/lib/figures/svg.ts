/** A part of a picture: markup that is safe as it stands, made by `element` and `textNode` only. */
export type Markup = string & {readonly __brand: 'Markup'};

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** `<name a="b">children</name>`. Numbers are written with two decimals at most, undefined attributes not at all. */
export function element(name: string, attributes: Attributes, children: readonly Markup[] = []): Markup {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${typeof value === 'number' ? decimal(value) : escapeXml(value)}"`],
  );
  const start = `<${name}${written.join('')}`;
  return (children.length === 0 ? `${start}/>` : `${start}>${children.join('')}</${name}>`) as Markup;
}

export function textNode(text: string): Markup {
  return escapeXml(text) as Markup;
}

/** A line of text. `anchor` says which of its ends is at x; the baseline is at y. */
export function label(x: number, y: number, text: string, attributes: Attributes = {}): Markup {
  return element('text', {x, y, ...attributes}, [textNode(text)]);
}

/** What a pointer shows over the element that has it as its first child. */
export function tooltip(text: string): Markup {
  return element('title', {}, [textNode(text)]);
}

/** A coordinate: two decimals at most, so that the bytes do not hang on the last bit of a sum. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no coordinate`);
  const rounded = Math.round(value * 100) / 100;
  return String(rounded === 0 ? 0 : rounded);
}

/** Characters that XML does not have, such as half a surrogate pair, become the replacement character. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[\0-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu, '\uFFFD')
    .replaceAll(/[&<>"]/g, (special) => ENTITIES[special] ?? special);
}

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};
