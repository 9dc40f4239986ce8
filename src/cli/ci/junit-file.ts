import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, resolve} from 'node:path';
import {failure, type Failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {junitText, type JunitSuite} from '../../report/junit.ts';
import type {Context} from '../context.ts';
import {hostName} from '../workspace.ts';

/** A JUnit report that will be written. Until then it says that its command did not come to its end. */
export interface JunitFile {
  write(suite: JunitSuite): Failure | undefined;
}

/** Makes the file and the folders on the way, so that what cannot be written is known before anything runs. */
export function openJunitFile({io, globals}: Context, given: string, command: string): Result<JunitFile> {
  const path = resolve(io.cwd, globals.directory ?? '.', given);
  const write = (suite: JunitSuite): Failure | undefined => {
    try {
      mkdirSync(dirname(path), {recursive: true});
      writeFileSync(path, junitText(suite));
      return undefined;
    } catch (error) {
      const hint = 'name a file that can be written with --junit';
      return failure('cache-unwritable', `the JUnit report cannot be written: ${(error as Error).message}`, {hint});
    }
  };
  const message = 'the command did not come to its end';
  const problem = write({
    name: command,
    wallMs: 0,
    startedAt: new Date(io.now()).toISOString(),
    host: hostName(),
    cases: [
      {classname: command, name: 'end', wallMs: 0, trouble: {kind: 'error', type: 'cancelled', message, text: message}},
    ],
  });
  return problem === undefined ? ok({write}) : err([problem]);
}
