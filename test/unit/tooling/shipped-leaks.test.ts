import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, expect, test} from 'vitest';
import {loadPipeline} from '../../../src/config/load-pipeline.ts';
import {renderDiagnostics} from '../../../src/core/diagnostic-text.ts';

const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));
const shipped = readFileSync(join(packageRoot, 'pipeline.yaml'), 'utf8');
const root = mkdtempSync(join(tmpdir(), 'mixdown-leaks-'));
afterAll(() => rmSync(root, {recursive: true, force: true}));

async function mistakes(text: string, ...overrides: readonly string[]): Promise<string> {
  const file = join(root, 'pipeline.yaml');
  writeFileSync(file, text);
  const options = {root, file, profiles: [], overrides, cacheDir: join(root, 'cache'), packageRoot};
  const loaded = await loadPipeline(options);
  return loaded.ok ? '' : renderDiagnostics(loaded.error);
}

/**
 * Lines by which the nodes of a fold read what others have learned, with the node's name. A package is made of a fold and trains
 * nothing, nor does an ensemble; stage `vectors` gives the same for all folds.
 */
const bindings = [...shipped.split('\n').entries()].flatMap(([index, line]) => {
  const before = shipped.split('\n').slice(0, index + 1);
  const node = before.findLast((each) => /^ {2}[a-z-]+:/.test(each))?.trim() ?? '';
  const harmless = /^(model|vectors-ensemble):/.test(node) || line.includes("'vectors[");
  return line.includes('fold=${matrix.fold}') && !harmless ? [{index, node}] : [];
});

test('the shipped pipeline is refused with the wrong fold in any one line', {timeout: 120_000}, async () => {
  expect(await mistakes(shipped)).toBe('');
  const names = new Set(bindings.map(({node}) => node));
  expect([...names]).toEqual(expect.arrayContaining(['quantized:', 'segments:', 'balance:', 'mixup:', 'train:']));
  for (const {index} of bindings) {
    const lines = shipped
      .split('\n')
      .map((line, at) => (at === index ? line.replace('fold=${matrix.fold}', 'fold=2') : line));
    const told = await mistakes(lines.join('\n'));
    expect([index + 1, told.split('\n')[0]]).toEqual([
      index + 1,
      expect.stringMatching(
        new RegExp(`^pipeline.yaml:${index + 1}:\\d+: \`.*fold=1.*\` holds out fold 1 .*fold=2.* -> .* \\[leak\\]$`),
      ),
    ]);
    expect(told).toContain('hint: read what holds out the same fold: `');
  }
});

test(
  'and so it is when extractors have seen what they are to be judged by, unless it says that this is right',
  {timeout: 60_000},
  async () => {
    const tuned = 'extractors=["original","balanced-first"]';
    expect(await mistakes(shipped, tuned)).toBe('');
    const told = await mistakes(shipped.replace(/^ {4}acceptLeak: .*\n/m, ''), tuned);
    expect(told).toContain('fold=1]` holds out fold 1 and reads what has learned from it: fine-tune[');
    expect(told).toContain('hint: let `fine-tune` hold folds out, by an axis `fold` and `params: {fold: ');
  },
);
