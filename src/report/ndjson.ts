import type {Reporter} from './reporter.ts';

/** Every event as one line of JSON, for programs. */
export function ndjsonReporter(write: (text: string) => void): Reporter {
  return {emit: (event) => write(`${JSON.stringify(event)}\n`), close() {}};
}
