import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

/** Folder of mixdown's own installation. The depth is the same under src/ and dist/. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

export function packageVersion(): string {
  return manifest().version;
}

/** Names of the packages that mixdown does not do without. */
export function neededPackages(): readonly string[] {
  return Object.keys(manifest().dependencies);
}

function manifest(): {readonly version: string; readonly dependencies: Readonly<Record<string, string>>} {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as ReturnType<typeof manifest>;
}
