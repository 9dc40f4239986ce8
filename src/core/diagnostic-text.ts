import type {Diagnostic, Failure} from './failure.ts';

/** `pipeline.yaml:8:12`, or the file alone where the place is not known. */
export function placeText(range: NonNullable<Diagnostic['range']>): string {
  return `${range.file}:${range.line}:${range.column}`;
}

/**
 * Failures as a reader sees them, without colour: place, message and permanent code on one line, the code frame, the
 * hint, and related places below. Ends with a line break; empty for no failures.
 */
export function renderDiagnostics(failures: readonly Failure[]): string {
  const blocks = failures.map((failure) => {
    const {diagnostics = []} = failure;
    if (diagnostics.length === 0) return block({...failure}, false);
    return diagnostics.map((diagnostic, index) => block(diagnostic, index > 0)).join('');
  });
  const count = failures.length;
  // A failure without a place may stand for several, so that the sum would be wrong.
  const counted = count > 1 && failures.every((failure) => failure.diagnostics !== undefined);
  const total = counted ? [`${count} problems\n`] : [];
  return [...blocks, ...total].join('\n');
}

function block({range, message, code, frame, hint}: Diagnostic, related: boolean): string {
  const head = `${range ? `${placeText(range)}: ` : ''}${message}${related ? '' : ` [${code}]`}\n`;
  const hintText = hint ? `  hint: ${hint.split('\n').join('\n        ')}\n` : '';
  return `${head}${frame ? `${frame}\n` : ''}${hintText}`;
}
