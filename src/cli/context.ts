import type {Failure} from '../core/failure.ts';
import type {NodeCheck} from '../core/pin-check.ts';
import type {EngineName} from '../core/tensor-engine.ts';
import {failureText} from '../report/failure-text.ts';
import {makePaint, type Paint} from '../report/paint.ts';
import {exitCodeFor, type ExitCode} from './exit.ts';
import type {Io} from './io.ts';

/** Options that every command takes. */
export interface Globals {
  readonly file?: string;
  readonly directory?: string;
  readonly profile: readonly string[];
  readonly set: readonly string[];
  readonly cache?: string;
  readonly engine?: EngineName;
  /** Of the commands that read or write pinned results. */
  readonly lock?: string;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

/** The options when none is given. They are no defaults of the parser, which would print them in every help text. */
export const noGlobals: Globals = {profile: [], set: [], json: false, verbose: false, quiet: false, color: true};

/** What a command works with: the process, the options, and how to say things. */
export interface Context {
  readonly io: Io;
  readonly globals: Globals;
  /** Colours for stdout. */
  readonly paint: Paint;
  /** Prints text to stdout, with a newline when it has none. */
  readonly print: (text: string) => void;
  /** Prints one JSON document to stdout. */
  readonly printJson: (value: unknown) => void;
  /** Prints a remark to stderr; nothing with --quiet. */
  readonly note: (text: string) => void;
  /** Prints the failures to stderr and returns the exit code they stand for. */
  readonly fail: (failures: readonly Failure[]) => ExitCode;
  readonly warn: (failure: Failure) => void;
  /** Told nodes that are not as they are pinned, for reports besides the terminal. */
  readonly tellChecks?: (checks: readonly NodeCheck[]) => void;
}

export function makeContext(io: Io, globals: Globals): Context {
  const errPaint = makePaint(wantsColour(io, globals, io.stderr.isTTY));
  const endLine = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
  return {
    io,
    globals,
    paint: makePaint(wantsColour(io, globals, io.stdout.isTTY)),
    print: (text) => io.stdout.write(endLine(text)),
    printJson: (value) => io.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    note(text) {
      if (!globals.quiet) io.stderr.write(endLine(text));
    },
    fail(failures) {
      io.stderr.write(endLine(failures.map((failure) => failureText(failure, errPaint)).join('\n\n')));
      if (failures.length > 1) io.stderr.write(`\n${failures.length} problems\n`);
      return exitCodeFor(failures);
    },
    warn: (failure) => io.stderr.write(`${failureText(failure, errPaint, 'warning')}\n`),
  };
}

/** https://no-color.org: any value but the empty one turns colour off; FORCE_COLOR turns it on in a pipe. */
function wantsColour(io: Io, globals: Globals, isTTY: boolean): boolean {
  if (!globals.color || (io.env['NO_COLOR'] ?? '') !== '') return false;
  const force = io.env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  return isTTY && io.env['TERM'] !== 'dumb';
}
