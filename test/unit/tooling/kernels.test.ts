import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {compileKernel, entries, moduleOf} from '../../../stages/lib/kernels/build.mjs';

test.each(entries)('the compiled kernel %s is what its sources give', async (entry) => {
  const kept = readFileSync(moduleOf(entry), 'utf8');
  expect(kept === (await compileKernel(entry)), 'run `npm run kernels`').toBe(true);
});

test('a kernel that does not compile says where', async () => {
  await expect(compileKernel('missing')).rejects.toThrow(/missing does not compile:[^]*assembly\/missing/);
});
