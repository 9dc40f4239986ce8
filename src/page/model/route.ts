/** The parts of the page, in the order of its navigation. */
export const SECTIONS = ['results', 'metrics', 'graph', 'timeline', 'nodes', 'provenance', 'environment'] as const;

export type Section = (typeof SECTIONS)[number];

const FIELDS = [
  'node',
  'group',
  'outcome',
  'text',
  'metricGroup',
  'metricText',
  'changed',
  'graphView',
  'output',
  'outputText',
] as const;

/** What the address keeps besides the section: what is open, and each section's filters. */
export type Field = (typeof FIELDS)[number];

/** What is shown, as the part of the address after `#` says it. */
export type Route = {readonly section: Section} & {readonly [F in Field]?: string};

/** A change of the route; an undefined or empty field is taken out. */
export type RouteChange = {readonly section?: Section} & {readonly [F in Field]?: string | undefined};

/** Reads an address' hash, with or without its `#`; what it does not know it leaves out. */
export function parseRoute(hash: string): Route {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const named = words.get('section');
  const section = SECTIONS.find((candidate) => candidate === named || words.has(candidate)) ?? 'results';
  return changeRoute({section}, Object.fromEntries(FIELDS.map((field) => [field, words.get(field) ?? ''])));
}

/** The route with some fields changed. */
export function changeRoute(route: Route, change: RouteChange): Route {
  const merged = {...route, ...change};
  const fields = FIELDS.flatMap((field) => {
    const value = merged[field];
    return value === undefined || value === '' ? [] : [[field, value] as const];
  });
  return {section: change.section ?? route.section, ...Object.fromEntries(fields)};
}

/** The hash, with its `#`, that leads to a route. */
export function routeHash(route: Route): string {
  const words = new URLSearchParams({section: route.section});
  for (const field of FIELDS) {
    const value = route[field];
    if (value !== undefined) words.set(field, value);
  }
  return `#${words.toString()}`;
}
