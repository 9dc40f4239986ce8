// Compiles each entry of assembly/ to a module that holds its code: `npm run kernels`.
import {writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

/**
 * @typedef {{error: Error | null, stderr: {toString(): string}}} Outcome
 * @typedef {{writeFile(name: string, contents: Uint8Array): void}} Files
 * @typedef {{main: (args: readonly string[], files: Files) => Promise<Outcome>}} Compiler
 */

const folder = fileURLToPath(new URL('.', import.meta.url));

/** One entry a purpose: the code digest of a stage must not change with a kernel that it does not use. */
export const entries = /** @type {readonly string[]} */ (['log-mel', 'phase-vocoder', 'resample', 'tensors']);

/** Entries that work on the memory of another module and bring none. */
const guests = /** @type {readonly string[]} */ (['tensors']);

/**
 * The module that holds a compiled entry.
 *
 * @param {string} entry
 */
export const moduleOf = (entry) => `${folder}${entry}-wasm.ts`;

/**
 * The text of that module. The same sources give the same bytes.
 *
 * @param {string} entry
 * @returns {Promise<string>}
 */
export async function compileKernel(entry) {
  // By a variable: the compiler's types declare a `console` and other globals of their own.
  const name = 'assemblyscript/asc';
  const {main} = /** @type {Compiler} */ (await import(name));
  const target = ['--enable', 'simd', '--runtime', 'stub', '--use', 'abort='];
  if (guests.includes(entry)) target.push('--importMemory', '--noExportMemory');
  const flags = ['-O3', '--noAssert', '--converge', ...target, '--outFile', 'kernel.wasm', '--baseDir', folder];
  /** @type {Uint8Array | undefined} */
  let code;
  const {error, stderr} = await main([`assembly/${entry}.ts`, ...flags], {
    writeFile: (_name, contents) => void (code = contents),
  });
  if (error !== null || code === undefined) throw new Error(`${entry} does not compile:\n${String(stderr)}`);
  const base64 = Buffer.from(code).toString('base64');
  return `// Compiled from assembly/${entry}.ts by \`npm run kernels\`.\nexport const code =\n  '${base64}';\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const entry of entries) writeFileSync(moduleOf(entry), await compileKernel(entry));
}
