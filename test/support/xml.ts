/** An element of an XML document, with the text directly in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Reads a document of elements, attributes and text strictly: what is not well-formed XML 1.0 throws. */
export function parseXml(document: string): XmlElement {
  const illegal = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.exec(document);
  if (illegal) throw new Error(`no character of XML at ${illegal.index}: ${JSON.stringify(illegal[0])}`);
  const [head = ''] = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/.exec(document) ?? [];
  if (head === '') throw new Error('no XML declaration');
  const root: Open = {name: '', attributes: {}, children: [], text: ''};
  const open: Open[] = [root];
  const piece = /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  piece.lastIndex = head.length;
  while (piece.lastIndex < document.length) {
    const at = piece.lastIndex;
    const found = piece.exec(document);
    if (!found) throw new Error(`not well-formed at ${at}: ${document.slice(at, at + 60)}`);
    const [, close, name = '', attributes = '', empty, text] = found;
    const inner = open.at(-1)!;
    if (text !== undefined) inner.text += decode(text);
    else if (close) {
      if (inner.name !== name || open.length === 1) throw new Error(`</${name}> closes <${inner.name}>`);
      open.pop();
    } else {
      const element: Open = {name, attributes: attributesOf(attributes), children: [], text: ''};
      inner.children.push(element);
      if (!empty) open.push(element);
    }
  }
  const [only, ...others] = root.children;
  if (open.length > 1 || !only || others.length > 0 || root.text.trim() !== '')
    throw new Error('not one whole element');
  return only;
}

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

function attributesOf(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/([\w-]+)="([^"]*)"/g)) {
    if (name in found) throw new Error(`attribute ${name} twice`);
    found[name] = decode(value);
  }
  return found;
}

function decode(text: string): string {
  if (text.includes(']]>')) throw new Error(']]> in text');
  return text.replace(/&(#?\w*);?/g, (whole, name: string) => {
    const known: Record<string, string> = {lt: '<', gt: '>', amp: '&', quot: '"', apos: "'"};
    const value = name.startsWith('#') ? String.fromCodePoint(Number(name.slice(1))) : known[name];
    if (value === undefined || !whole.endsWith(';')) throw new Error(`no entity: ${whole}`);
    return value;
  });
}

const suiteAttributes = ['name', 'tests', 'failures', 'errors', 'skipped', 'time'];
const shapes: Readonly<Record<string, {readonly attributes: readonly string[]; readonly children: RegExp}>> = {
  testsuites: {attributes: suiteAttributes, children: /^(testsuite )*$/},
  testsuite: {
    attributes: [...suiteAttributes, 'timestamp', 'hostname'],
    children: /^properties (testcase )*system-out system-err $/,
  },
  testcase: {attributes: ['classname', 'name', 'time'], children: /^((failure|error|skipped) )?$/},
  failure: {attributes: ['message', 'type'], children: /^$/},
  error: {attributes: ['message', 'type'], children: /^$/},
  skipped: {attributes: ['message'], children: /^$/},
  properties: {attributes: [], children: /^$/},
  'system-out': {attributes: [], children: /^$/},
  'system-err': {attributes: [], children: /^$/},
};

/** What the schema of JUnit reports (of Ant, with `skipped` as CI servers read it) has against an element. */
export function junitProblems({name, attributes, children}: XmlElement): readonly string[] {
  const shape = shapes[name];
  if (!shape) return [`<${name}> is not known`];
  const problems = children.flatMap(junitProblems);
  if (Object.keys(attributes).join(' ') !== shape.attributes.join(' ')) {
    problems.push(`<${name}> has ${Object.keys(attributes).join(' ')}`);
  }
  if (!shape.children.test(children.map((child) => `${child.name} `).join(''))) problems.push(`children of <${name}>`);
  const numbers = ['tests', 'failures', 'errors', 'skipped', 'time'].flatMap((key) => attributes[key] ?? []);
  if (!numbers.every((text) => /^\d+(\.\d{3})?$/.test(text))) problems.push(`numbers of <${name}>`);
  if (name === 'testcase' && (attributes['name'] === '' || attributes['classname'] === '')) problems.push('no name');
  const {timestamp} = attributes;
  if (timestamp !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(timestamp)) problems.push(timestamp);
  if (name === 'testsuite') {
    const cases = children.filter((child) => child.name === 'testcase');
    const count = (kind: string): string =>
      String(cases.filter((each) => each.children.some((child) => child.name === kind)).length);
    const counted = [String(cases.length), count('failure'), count('error'), count('skipped')];
    const said = ['tests', 'failures', 'errors', 'skipped'].map((key) => attributes[key]);
    if (counted.join() !== said.join()) problems.push(`counts: ${said.join()} instead of ${counted.join()}`);
  }
  return problems;
}
