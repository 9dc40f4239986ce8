// What the benchmarks share: a scratch folder, processes with their processor time, medians.
import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/**
 * `name=value` arguments, numbers as numbers, over the defaults.
 *
 * @template {Record<string, string | number>} T
 * @param {T} defaults
 * @returns {T}
 */
export function readOptions(defaults) {
  const given = process.argv.slice(2).map((argument) => argument.split('='));
  for (const [name] of given) if (!(name in defaults)) throw new Error(`${name} is no option of this benchmark`);
  const values = given.map(([name, text]) => [name, typeof defaults[name] === 'number' ? Number(text) : text]);
  return {...defaults, ...Object.fromEntries(values)};
}

/**
 * Calls back with an empty folder on the disk of the temporary files (TMPDIR), which is removed afterwards.
 *
 * @param {(root: string) => void} work
 */
export function inScratch(work) {
  const root = mkdtempSync(join(tmpdir(), 'mixdown-bench-'));
  try {
    work(root);
  } finally {
    rmSync(root, {recursive: true, force: true});
  }
}

/**
 * `inScratch` for work that waits.
 *
 * @param {(root: string) => Promise<void>} work
 */
export async function inScratchAsync(work) {
  const root = mkdtempSync(join(tmpdir(), 'mixdown-bench-'));
  try {
    await work(root);
  } finally {
    rmSync(root, {recursive: true, force: true});
  }
}

/**
 * @param {string} root
 * @param {Record<string, string>} files
 */
export function writeFiles(root, files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), {recursive: true});
    writeFileSync(join(root, path), text);
  }
}

/**
 * Runs a program to its end: wall time, processor time of it and its children (ms), largest resident size (MiB).
 *
 * @param {string} cwd
 * @param {string} program
 * @param {readonly string[]} args
 */
export function measure(cwd, program, args) {
  const before = process.hrtime.bigint();
  const format = '%U %S %M';
  const run = spawnSync('/usr/bin/time', ['-f', format, program, ...args], {cwd, stdio: ['ignore', 'ignore', 'pipe']});
  const wallMs = Number(process.hrtime.bigint() - before) / 1e6;
  const lines = String(run.stderr).trimEnd().split('\n');
  if (run.status !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${lines.join('\n')}`);
  const [user = 0, system = 0, kib = 0] = (lines.at(-1) ?? '').split(' ').map(Number);
  return {wallMs, userMs: user * 1000, cpuMs: (user + system) * 1000, rssMiB: kib / 1024};
}

/**
 * @param {string} cwd
 * @param {readonly string[]} args
 */
export const mixdown = (cwd, ...args) => measure(cwd, process.execPath, [cli, ...args]);

/** @param {readonly number[]} list */
export function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;
}

/**
 * Runs the commands in turns, so that a drift of the machine meets all of them; the first turn warms up. Prints medians and
 * ratios to the first command, which is the floor.
 *
 * @param {number} runs
 * @param {Record<string, () => ReturnType<typeof measure>>} commands
 */
export function compare(runs, commands) {
  /** @type {Map<string, ReturnType<typeof measure>[]>} */
  const found = new Map(Object.keys(commands).map((name) => [name, []]));
  for (let run = 0; run <= runs; run++) {
    for (const [name, command] of Object.entries(commands)) {
      const result = command();
      if (run > 0) found.get(name)?.push(result);
    }
  }
  const [[floor, floors] = ['', []]] = found;
  const floorMs = median(floors.map(({cpuMs}) => cpuMs));
  for (const [name, results] of found) {
    /** @param {keyof ReturnType<typeof measure>} what */
    const of = (what) => median(results.map((result) => result[what]));
    const ratio = (of('cpuMs') / Math.max(floorMs, 1)).toFixed(1);
    const walls = results.map(({wallMs}) => wallMs);
    console.log(
      `${name.padEnd(22)} wall ${ms(of('wallMs'))} (best ${ms(Math.min(...walls))})  user ${ms(of('userMs'))}  ` +
        `cpu ${ms(of('cpuMs'))} = ${ratio} x ${floor}  ${of('rssMiB').toFixed(0)} MiB`,
    );
  }
}

/** @param {number} value */
export function ms(value) {
  return `${value.toFixed(0).padStart(6)} ms`;
}

/** A stage that does next to nothing, so that what is measured is the engine. */
export const shout = `import {readFileSync, writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'shout',
  summary: 'Upper case.',
  params: {},
  inputs: {text: {kind: 'file', about: 'any text'}},
  outputs: {loud: {kind: 'file', name: 'loud.txt', about: 'the text in upper case'}},
  run({inputs, outputs}) {
    writeFileSync(outputs.loud, readFileSync(inputs.text, 'utf8').toUpperCase());
  },
});
`;
