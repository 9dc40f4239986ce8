import {readFileSync, writeFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';

/** A pitch-shifted copy that is to be made of a recording. */
export interface Shift {
  /** Last part of the copy's key and, with `.wav`, its file name: `pitch+05`, `pitch-12`. */
  readonly name: string;
  /** Whole number, not 0; positive is up. */
  readonly semitones: number;
}

/** Name of the copy: the sign and two digits, so that no two shifts share one. */
export function shiftName(semitones: number): string {
  return `pitch${semitones < 0 ? '-' : '+'}${String(Math.abs(semitones)).padStart(2, '0')}`;
}

/** Writes the copies to be made of one recording, type shifts/1. */
export function writeShifts(path: string, copies: readonly Shift[]): void {
  const value = {type: 'shifts/1', copies: copies.map(({name, semitones}) => ({name, semitones}))};
  writeFileSync(path, `${JSON.stringify(value)}\n`);
}

/** Reads what `writeShifts` writes. `name` stands for the file in messages. Throws StageError for anything else. */
export function readShifts(path: string, name = 'the shifts'): readonly Shift[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new StageError(`${name} are not JSON`);
  }
  if (!isShifts(value))
    throw new StageError(`${name} are not of type shifts/1`, 'give the output of stage augmentation');
  const seen = new Set<string>();
  return value.copies.map((copy) => {
    if (!isShift(copy)) {
      throw new StageError(
        `${name} hold \`${JSON.stringify(copy)}\`; a name such as pitch+05 and its semitones are needed`,
      );
    }
    if (seen.has(copy.name)) throw new StageError(`${name} hold ${copy.name} twice`);
    seen.add(copy.name);
    return {name: copy.name, semitones: copy.semitones};
  });
}

function isShifts(value: unknown): value is {readonly copies: readonly unknown[]} {
  if (typeof value !== 'object' || value === null) return false;
  const {type, copies} = value as Record<string, unknown>;
  return type === 'shifts/1' && Array.isArray(copies);
}

function isShift(value: unknown): value is Shift {
  if (typeof value !== 'object' || value === null) return false;
  const {name, semitones} = value as Record<string, unknown>;
  return Number.isInteger(semitones) && semitones !== 0 && name === shiftName(semitones as number);
}
