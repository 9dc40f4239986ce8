import {BadClip} from '../audio/bad-clip.ts';

/**
 * Runs a call of a WASM decoder that does its work before it first waits. These decoders print each error and go on, mpg123
 * without end; here the first one ends the call. Throws BadClip for it, and for any crash of the decoder; so each call takes
 * a decoder of its own, which is thrown away.
 */
export async function strictly<T>(name: string, codec: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await withoutConsole(call);
  } catch (error) {
    if (error instanceof RangeError && error.message.includes('allocation failed')) throw error;
    const text = error instanceof Error ? error.message : String(error);
    const cause = text.replace(/^@?[\w-]+(\/[\w-]+)?: */, '').replaceAll(/\s+/g, ' ');
    throw new BadClip(`${name} is damaged: the ${codec} decoder says: ${cause}`, 'fetch or export it again');
  }
}

function withoutConsole<T>(call: () => T): T {
  const own = Object.getOwnPropertyDescriptor(console, 'error');
  const value = (complaint: unknown): never => {
    throw new Error(String(complaint));
  };
  Object.defineProperty(console, 'error', {configurable: true, value});
  try {
    return call();
  } finally {
    if (own !== undefined) Object.defineProperty(console, 'error', own);
  }
}
