export type Scalar = string | number | boolean;
export type Json = Scalar | null | readonly Json[] | {readonly [key: string]: Json | undefined};
export type JsonObject = {readonly [key: string]: Json | undefined};

/**
 * The one text form of a JSON value: object keys sorted by UTF-16 code unit, no white space, `undefined` members left
 * out, numbers as ECMAScript prints them (-0 as 0). Equal values give equal text, so the text can be hashed.
 *
 * @throws TypeError on NaN and infinities, which JSON cannot hold, and on anything that is not JSON.
 */
export function canonicalJson(value: Json | undefined): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`canonicalJson: ${value} is not a JSON number`);
      return String(value);
    case 'object': {
      if (value === null) return 'null';
      // Texts are joined as they come: lists of parts cost as much again, and every key of a build goes through here.
      let text = '';
      if (isArray(value)) {
        for (const item of value) text += `${text === '' ? '' : ','}${canonicalJson(item ?? null)}`;
        return `[${text}]`;
      }
      for (const key of Object.keys(value).sort()) {
        const member = value[key];
        if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
      }
      return `{${text}}`;
    }
    default:
      throw new TypeError(`canonicalJson: ${typeof value} is not JSON`);
  }
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isScalar(value: Json | undefined): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Orders strings by UTF-16 code unit: the same everywhere, unlike a locale's order. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
