import {chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {writePinText} from '../../../../src/cli/pins/write.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pin-write-'));
});
afterEach(() => {
  rmSync(folder, {recursive: true, force: true});
});

describe('the file of a lock', () => {
  it('is replaced as a whole, with the rights that it had', () => {
    const path = join(folder, 'mixdown.lock');
    expect(writePinText(path, 'one\n', 'mixdown.lock').ok).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    chmodSync(path, 0o640);
    expect(writePinText(path, 'two\n', 'mixdown.lock').ok).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('two\n');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['mixdown.lock']);
  });

  it.skipIf(process.getuid?.() === 0)('is left alone when it is read only', () => {
    const path = join(folder, 'mixdown.lock');
    writeFileSync(path, 'one\n', {mode: 0o444});
    const written = writePinText(path, 'two\n', 'mixdown.lock');
    expect(written.ok ? undefined : written.error[0]?.message).toContain('mixdown.lock cannot be written');
    expect(readFileSync(path, 'utf8')).toBe('one\n');
  });
});
