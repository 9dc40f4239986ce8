import {InvalidArgumentError, Option} from 'commander';
import type {Context} from '../context.ts';
import type {ExitCode} from '../exit.ts';

export type Action = (context: Context, ...rest: never[]) => Promise<ExitCode>;

/** Binds a command to the function that does it, which is loaded at its call. */
export type Does = (load: () => Promise<Action>) => (...args: unknown[]) => Promise<void>;

export function lockOption(): Option {
  return new Option('--lock <file>', 'the lock (default: mixdown.lock, mixdown.PROFILE.lock with a profile)');
}

export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function collectList(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...value.split(',').map((name) => name.trim())];
}

export function positiveInteger(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.');
  return value;
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
