import {existsSync, realpathSync} from 'node:fs';
import {dirname, join, sep} from 'node:path';
import {fileURLToPath} from 'node:url';
import {StageError} from 'mixdown/stage';

const FOLDER = join('node_modules', '@tensorflow', 'tfjs-backend-wasm', 'dist');
const BINARY = 'tfjs-backend-wasm-simd.wasm';

/**
 * Folder of the wasm binaries, with a separator at the end. A compiled stage lies outside the package tree, so the
 * search goes up from each of `starts`: this module's place, then the program's, whose own packages include the backend.
 */
export function wasmFolder(starts: readonly string[] = defaultStarts()): string {
  for (const start of starts) {
    for (let folder = start; ; folder = dirname(folder)) {
      const found = join(folder, FOLDER);
      if (existsSync(join(found, BINARY))) return found + sep;
      if (dirname(folder) === folder) break;
    }
  }
  throw new StageError(
    `the tensor engine's ${BINARY} was not found above ${starts.join(' or ')}`,
    'install the packages again (npm ci)',
  );
}

function defaultStarts(): readonly string[] {
  const program = process.argv[1];
  const here = dirname(fileURLToPath(import.meta.url));
  return program !== undefined && existsSync(program) ? [here, dirname(realpathSync(program))] : [here];
}
