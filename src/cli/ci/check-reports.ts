import {ok, type Result} from '../../core/result.ts';
import {failure, type Failure} from '../../core/failure.ts';
import {countText} from '../../report/count-text.ts';
import {checkSummaryText} from '../../report/job-summary.ts';
import {failureCases, type JunitCase} from '../../report/junit.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {annotating, githubStep} from './github.ts';
import {openJunitFile} from './junit-file.ts';
import type {Loaded} from '../load.ts';
import type {Checked} from '../pins/check.ts';
import {caseOf, rangeOf} from './run-reports.ts';
import {hostName} from '../workspace.ts';

/** What a check is told with besides the terminal: a JUnit file, and the page of a GitHub job. */
export interface CheckReports {
  readonly context: Context;
  /** @param file - path of the lock for people */
  readonly tell: (loaded: Loaded, checked: Told, file: string, fresh: boolean) => void;
  /** Writes what is left to write; the exit code becomes another when that fails. */
  readonly end: (code: ExitCode) => ExitCode;
}

/** What a check found; documents that do not say what is pinned are problems. */
interface Told extends Checked {
  readonly documents: readonly Failure[];
}

/** Fails when a report that is asked for cannot be written. */
export function openCheckReports(given: Context, {junit}: {readonly junit?: string}): Result<CheckReports> {
  const file = junit === undefined ? ok(undefined) : openJunitFile(given, junit, 'mixdown check');
  if (!file.ok) return file;
  const step = githubStep(given);
  const annotated = annotating(given, step);
  // What was told as found is not told again when it is printed.
  const failures = new Set<Failure>();
  const add = (found: readonly Failure[]): void => {
    const fresh = found.filter((each) => !failures.has(each));
    for (const each of fresh) failures.add(each);
    step?.annotate(fresh, 'error');
  };
  const cases: JunitCase[] = [];
  return ok({
    context: {
      ...annotated,
      fail(problems) {
        add(problems);
        return given.fail(problems);
      },
    },
    tell(loaded, {checks, missing, documents}, path, fresh) {
      const lacking = missing.map(({source, path: place, nodes}) => {
        const message = `source ${source} (${place}) is missing: ${countText(nodes, 'node')} cannot be checked`;
        return failure('missing-source', message);
      });
      cases.push(...checks.map(caseOf));
      add([...lacking, ...documents]);
      step?.annotateChecks(checks, (node) => rangeOf(loaded, node));
      const problem = step?.summarise(
        checkSummaryText({checks, file: path, fresh, problems: [...lacking, ...documents]}),
      );
      if (problem) annotated.warn(problem);
    },
    end(code) {
      step?.close();
      const problem = file.value?.write({
        name: 'mixdown check',
        wallMs: 0,
        startedAt: new Date(given.io.now()).toISOString(),
        host: hostName(),
        cases: [...cases, ...failureCases([...failures])],
      });
      if (problem === undefined) return code;
      const own = annotated.fail([problem]);
      return code === exitCodes.done ? own : code;
    },
  });
}
