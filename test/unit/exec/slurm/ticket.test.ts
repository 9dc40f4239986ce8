import {expect, it} from 'vitest';
import {newKey, orderName, reportKey, reportName, seal, unseal} from '../../../../src/exec/slurm/ticket.ts';

interface Note {
  readonly type: 'note/1';
  readonly text: string;
}

const note: Note = {type: 'note/1', text: 'the password is xyzzy'};

it('what is sealed can be read with the key, as what it is, and not without', () => {
  const key = newKey();
  const sealed = seal(key, orderName(1), note);
  expect(sealed.toString('latin1')).not.toContain('xyzzy');
  expect(unseal<Note>(key, orderName(1), sealed, 'note/1')).toEqual(note);
  expect(unseal<Note>(newKey(), orderName(1), sealed, 'note/1')).toBeUndefined();
  // Another task's order, put in its place.
  expect(unseal<Note>(key, orderName(2), sealed, 'note/1')).toBeUndefined();
  expect(unseal<{type: 'other/1'}>(key, orderName(1), sealed, 'other/1')).toBeUndefined();
});

it('no byte of it can be changed, or left out', () => {
  const key = newKey();
  const sealed = seal(key, reportName(0, 0), note);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = changed[at]! ^ 1;
    expect(unseal<Note>(key, reportName(0, 0), changed, 'note/1')).toBeUndefined();
    expect(unseal<Note>(key, reportName(0, 0), sealed.subarray(0, at), 'note/1')).toBeUndefined();
  }
});

it('the same looks different each time, and reports lie where only those look who have the key', () => {
  const [key, other] = [newKey(), newKey()];
  expect(seal(key, 'a', note).equals(seal(key, 'a', note))).toBe(false);
  const keys = [reportKey(key, 0, 0), reportKey(key, 0, 1), reportKey(key, 1, 0), reportKey(other, 0, 0)];
  expect(new Set(keys).size).toBe(4);
  expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
});
