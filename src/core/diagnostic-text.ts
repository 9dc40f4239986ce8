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
    if (diagnostics.length === 0) return block({...failure});
    return diagnostics.map(block).join('');
  });
  const count = failures.length;
  const total = count > 1 ? [`${count} problems\n`] : [];
  return [...blocks, ...total].join('\n');
}

function block({range, message, code, frame, hint}: Diagnostic): string {
  const head = `${range ? `${placeText(range)}: ` : ''}${message} [${code}]\n`;
  const hintText = hint ? `  hint: ${hint.split('\n').join('\n        ')}\n` : '';
  return `${head}${frame ? `${frame}\n` : ''}${hintText}`;
}
