import type {SourceRange} from '../core/failure.ts';
import type {DocumentPattern} from '../core/pipeline.ts';
import type {PipelineDocument} from './document.ts';
import type {Path} from './problem.ts';
import {toText, variablesOnly, type Report} from './scope.ts';
import {compileTemplate} from './template.ts';
import type {Variables} from './variables.ts';

/** Where each pattern of `documents` stands. */
export function documentPaths({documents = []}: PipelineDocument): readonly Path[] {
  return typeof documents === 'string' ? [['documents']] : documents.map((_, index) => ['documents', index]);
}

/**
 * The patterns of `documents`, with their variables replaced. They stay below the project folder: a build that rewrites files
 * elsewhere would surprise their owners.
 *
 * @param ranges - of the patterns, in their order
 */
export function readDocuments(
  document: PipelineDocument,
  ranges: readonly (SourceRange | undefined)[],
  variables: Variables,
  report: Report,
): readonly DocumentPattern[] {
  const {documents = []} = document;
  const texts = typeof documents === 'string' ? [documents] : documents;
  return documentPaths(document).flatMap((path, index) => {
    const found = compileTemplate(texts[index] ?? '', path, variablesOnly(variables, report), report);
    if (found?.kind !== 'constant') return [];
    const pattern = toText(found.value, path, report).replace(/^(\.\/+)+/, '');
    if (pattern === '' || pattern.startsWith('/') || pattern.split('/').includes('..')) {
      const message = `\`${pattern}\` is no path below the project folder`;
      const hint = 'write it relative to the folder of pipeline.yaml, without `..`';
      report({code: 'bad-value', message, hint, path, at: 'value', traced: true});
      return [];
    }
    const range = ranges[index];
    return [{pattern, ...(range ? {range} : {})}];
  });
}
