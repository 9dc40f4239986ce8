import type {Failure, SourceRange} from '../core/failure.ts';
import {printable} from './text-width.ts';

/** A remark that GitHub shows at a place of a file, or at the job when there is none. */
export interface Annotation {
  readonly level: 'error' | 'warning';
  readonly title: string;
  readonly message: string;
  /** `file` is relative to the root of the repository. */
  readonly range?: SourceRange;
}

/** `::error file=pipeline.yaml,line=8,col=3,endLine=8,title=…::message`, escaped as the runner unescapes it. */
export function annotationText({level, title, message, range}: Annotation): string {
  const oneLine = range?.endLine === undefined || range.endLine === range.line;
  const properties: readonly (readonly [string, string | number | undefined])[] = [
    ['file', range?.file],
    ['line', range?.line],
    // Columns are of use within one line only.
    ['col', oneLine ? range?.column : undefined],
    ['endLine', range?.endLine],
    ['endColumn', oneLine ? range?.endColumn : undefined],
    ['title', title],
  ];
  const told = properties.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${propertyText(String(value))}`],
  );
  return `::${level} ${told.join(',')}::${dataText(printable(message))}\n`;
}

/**
 * Annotations for the problems of a command, one for each place.
 *
 * @param placed - gives a range its path in the repository; undefined when the file is not in it
 */
export function annotationsOf(
  failure: Failure,
  level: Annotation['level'],
  placed: (range: SourceRange) => SourceRange | undefined,
): readonly Annotation[] {
  const {code, message, hint, node, diagnostics = []} = failure;
  // The first is the problem itself; others are places that belong to it.
  const [first] = diagnostics;
  const own = first ?? {code, message, ...(hint === undefined ? {} : {hint})};
  const range = first?.range && placed(first.range);
  const where = first?.range && range === undefined ? `${first.range.file}:${first.range.line}: ` : '';
  return [
    {
      level,
      title: node === undefined ? code : `${node}: ${code}`,
      message: `${where}${own.message}${own.hint === undefined ? '' : `\nhint: ${own.hint}`}`,
      ...(range === undefined ? {} : {range}),
    },
  ];
}

/**
 * Lines that a job printed, as a group that can be unfolded. A line may look like a command to the runner: none is taken
 * as one until the token, which the job cannot know.
 */
export function groupText(title: string, lines: readonly string[], token: string): string {
  const body = lines.map((line) => `${printable(line)}\n`).join('');
  return `::group::${dataText(printable(title))}\n::stop-commands::${token}\n${body}::${token}::\n::endgroup::\n`;
}

function dataText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function propertyText(text: string): string {
  return dataText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
