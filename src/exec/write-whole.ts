import {closeSync, fsyncSync, openSync, renameSync, writeSync} from 'node:fs';

/**
 * Writes a file that others see whole or not at all. Only the owner may read it.
 *
 * @param durable - also after this machine lost power, for the price of waiting for the disk
 */
export function writeWhole(path: string, text: string, durable = false): void {
  const draft = `${path}.new`;
  const file = openSync(draft, 'w', 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    if (durable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}
