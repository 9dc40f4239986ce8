/** An element of a picture, with the text inside it and its children in order. */
export interface SvgElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly SvgElement[];
}

/** Reads markup as strictly as XML does: throws for a tag that is left open, a bare & or <, an attribute given twice. */
export function parseSvg(source: string): SvgElement {
  const root = {name: '', attributes: {}, text: '', children: [] as SvgElement[]};
  const open: {name: string; attributes: Readonly<Record<string, string>>; text: string; children: SvgElement[]}[] = [
    root,
  ];
  for (const [token, closing, name = '', rest = ''] of source.matchAll(/<(\/?)([a-z]+)([^<>]*)>|[^<>]+|[<>]/gi)) {
    const parent = open.at(-1) ?? root;
    if (name === '') parent.text += decode(token);
    else if (closing === '/') {
      if (parent.name !== name) throw new Error(`</${name}> closes <${parent.name}>`);
      open.pop();
    } else {
      const own = {name, attributes: attributesOf(rest.replace(/\/$/, '')), text: '', children: []};
      parent.children.push(own);
      if (!rest.endsWith('/')) open.push(own);
    }
  }
  const [only, ...others] = root.children;
  if (open.length !== 1 || only === undefined || others.length > 0) throw new Error('not one element');
  return only;
}

/** All elements of the name, in order of the text. */
export function elementsOf(element: SvgElement, name: string): readonly SvgElement[] {
  return [...(element.name === name ? [element] : []), ...element.children.flatMap((child) => elementsOf(child, name))];
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  const rest = text.replaceAll(/\s+([a-zA-Z:-]+)="([^"]*)"/g, (_, name: string, value: string) => {
    if (name in attributes) throw new Error(`${name} is given twice`);
    attributes[name] = decode(value);
    return '';
  });
  if (rest.trim() !== '') throw new Error(`no attributes: ${rest}`);
  return attributes;
}

function decode(text: string): string {
  if (/[<>]|&(?!(?:amp|lt|gt|quot);)/.test(text)) throw new Error(`not escaped: ${text}`);
  if (/[\0-\u0008\u000B\u000C\u000E-\u001F]|\p{Surrogate}/u.test(text)) throw new Error('no character of XML');
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
