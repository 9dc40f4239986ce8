#!/usr/bin/env node
import {exitCodes} from './exit.ts';
import {processIo} from './io.ts';
import {packageVersion} from './package.ts';
import {runProgram} from './program.ts';

const version = packageVersion();

/** A bug: say what happened and how to report it, never go on. */
function internalError(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `internal error: mixdown ${version} has a bug; please report it with the command line and this text\n${text}\n`,
  );
}

const onUncaught = (error: unknown): void => {
  internalError(error);
  process.exit(exitCodes.internal);
};
process.on('uncaughtException', onUncaught);
process.on('unhandledRejection', onUncaught);

try {
  process.exitCode = await runProgram(processIo(), version);
} catch (error) {
  internalError(error);
  process.exitCode = exitCodes.internal;
}
