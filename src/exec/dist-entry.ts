import {fileURLToPath} from 'node:url';

/** Path of a program of this folder that Node can start: the compiled one, also while this runs from the sources. */
export function distEntry(name: 'worker-main' | 'reproduce-main' | 'slurm/main'): string {
  const fromSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(fromSource ? `../../dist/exec/${name}.js` : `./${name}.js`, import.meta.url));
}
