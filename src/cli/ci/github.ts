import {randomUUID} from 'node:crypto';
import {appendFileSync, existsSync, realpathSync, statSync} from 'node:fs';
import {isAbsolute, join, relative, resolve, sep} from 'node:path';
import type {Failure, SourceRange} from '../../core/failure.ts';
import type {NodeCheck} from '../../core/pin-check.ts';
import type {NodeId} from '../../core/pipeline.ts';
import {checkLines, groupName, troubleGroups} from '../../report/check-text.ts';
import {countText} from '../../report/count-text.ts';
import {cutText} from '../../report/job-summary.ts';
import {annotationsOf, annotationText, groupText, type Annotation} from '../../report/workflow-commands.ts';
import type {Context} from '../context.ts';
import {findProject} from '../project.ts';

/** A step of GitHub Actions that this process runs in. Says everything on stderr, which is nobody's data. */
export interface GithubStep {
  /** Annotates; of each level, no more than GitHub shows. */
  annotate(failures: readonly Failure[], level: Annotation['level']): void;
  /** Annotates a failed node at its place in pipeline.yaml, and shows what it printed. */
  failedNode(failure: Failure & {readonly node: string}, range: SourceRange | undefined, log: readonly string[]): void;
  /** Annotates nodes that are not as they are pinned, without those that only follow others; equal variants together. */
  annotateChecks(checks: readonly NodeCheck[], rangeOf: (node: NodeId) => SourceRange | undefined): void;
  /** Appends Markdown to the page of the job, as far as there is room. */
  summarise(text: string): Failure | undefined;
  /** Says how many annotations were left out. */
  close(): void;
}

/** As many annotations of a level as GitHub shows of a step. */
const mostAnnotations = 10;
/** GitHub drops the summary of a step that is larger. */
const mostSummaryBytes = 1024 * 1024;

/** Undefined when this process does not run under GitHub Actions. */
export function githubStep({io, globals}: Pick<Context, 'io' | 'globals'>): GithubStep | undefined {
  if (io.env['GITHUB_ACTIONS'] !== 'true') return undefined;
  const project = findProject({io, globals});
  const root = project.ok ? project.value.root : resolve(io.cwd, globals.directory ?? '.');
  const repository = io.env['GITHUB_WORKSPACE'] ?? root;
  const told = {error: 0, warning: 0};
  const left = {error: 0, warning: 0};
  const write = (annotation: Annotation): void => {
    if (told[annotation.level]++ < mostAnnotations) io.stderr.write(annotationText(annotation));
    else left[annotation.level]++;
  };
  const placed = (range: SourceRange): SourceRange | undefined => {
    const file = resolve(root, range.file);
    if (!existsSync(file)) return undefined;
    const path = relative(real(repository), real(file)).split(sep).join('/');
    return path.startsWith('../') || isAbsolute(path) ? undefined : {...range, file: path};
  };
  return {
    annotate(failures, level) {
      for (const failure of failures) annotationsOf(failure, level, placed).forEach(write);
    },
    failedNode(failure, range, log) {
      const {code, node, message, hint} = failure;
      const place = range && placed(range);
      const text = hint === undefined ? message : `${message}\nhint: ${hint}`;
      write({level: 'error', title: `${node} failed: ${code}`, message: text, ...(place ? {range: place} : {})});
      if (log.length > 0) io.stderr.write(groupText(`What ${node} printed`, log, randomUUID()));
    },
    annotateChecks(checks, rangeOf) {
      for (const [first, ...others] of troubleGroups(checks)) {
        const range = rangeOf(first.node);
        const place = range && placed(range);
        const title = `${groupName([first, ...others])} ${others.length === 0 ? 'is' : 'are'} ${first.verdict}`;
        const lines = checkLines(first);
        const message = lines.length === 0 ? title : lines.join('\n');
        write({level: 'error', title, message, ...(place ? {range: place} : {})});
      }
    },
    summarise(text) {
      const path = io.env['GITHUB_STEP_SUMMARY'] ?? '';
      if (path === '') return undefined;
      try {
        const there = statSync(path, {throwIfNoEntry: false})?.size ?? 0;
        const block = there > 0 ? `\n${text}` : text;
        appendFileSync(path, cutText(block, mostSummaryBytes - there));
        return undefined;
      } catch (error) {
        return {code: 'cache-unwritable', message: `the job summary cannot be written: ${(error as Error).message}`};
      }
    },
    close() {
      for (const level of ['error', 'warning'] as const) {
        if (left[level] === 0) continue;
        io.stderr.write(
          `${countText(left[level], `more ${level}`)} without an annotation: GitHub shows ${mostAnnotations}\n`,
        );
      }
      left.error = 0;
      left.warning = 0;
    },
  };
}

/** The context of a command that annotates what it fails with and warns of, under GitHub Actions. */
export function annotating(context: Context, step = githubStep(context)): Context {
  if (step === undefined) return context;
  return {
    ...context,
    fail(failures) {
      const code = context.fail(failures);
      step.annotate(failures, 'error');
      step.close();
      return code;
    },
    warn(failure) {
      context.warn(failure);
      step.annotate([failure], 'warning');
    },
  };
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(path);
  }
}
