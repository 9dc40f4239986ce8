import {existsSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {chromium, type Browser} from 'playwright-core';

/**
 * A Chromium or Chrome of this machine: `$MIXDOWN_CHROMIUM` (empty: none), or one on the PATH. Undefined where there is none;
 * tests that need it are skipped then.
 */
export function findBrowser(): string | undefined {
  const named = process.env['MIXDOWN_CHROMIUM'];
  if (named !== undefined) return named === '' ? undefined : named;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin'];
  return ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Starts the browser without a window and without anything that it would ask of a network by itself. */
export async function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
