import {basename} from 'node:path';
import type {Outcome} from '../../core/plan.ts';
import type {CodeManifest} from '../../core/stage.ts';
import {groupBy} from '../../report/group-by.ts';
import type {PageChanges, PageData, PageNode, PageRun, PageSource, PageStage} from '../../report/page-data.ts';
import {versionsText} from '../../report/engine-text.ts';
import {pageGroups} from '../../report/page-groups.ts';
import {pageTimeline} from '../../report/page-timeline.ts';
import {parseJson} from '../../store/validate.ts';
import type {PageBooks} from './books.ts';
import {pageNodes} from './nodes.ts';
import {pageResults} from './results.ts';

/**
 * Everything that the page of a run shows: from its record, and from the cache what the record only names. The same record and
 * cache give the same data.
 *
 * @param root - the project's folder
 */
export function pageData(books: PageBooks, root: string, changes: PageChanges | undefined): PageData {
  const {nodes, savedMs, producers} = pageNodes(books);
  return {
    type: 'page/1',
    project: basename(root),
    run: pageRun(books, nodes, savedMs),
    nodes,
    groups: pageGroups(nodes),
    sources: pageSources(books, nodes),
    stages: pageStages(books, nodes),
    results: pageResults(books),
    timeline: pageTimeline(books.events, (id) => producers.get(id) ?? []),
    ...(changes === undefined ? {} : {changes}),
  };
}

function pageRun({record}: PageBooks, nodes: readonly PageNode[], savedMs: number): PageRun {
  const {
    id,
    command,
    outcome,
    startedAt,
    wallMs,
    targets,
    seed,
    jobs,
    host,
    versions,
    engines = {},
    machine = {},
  } = record;
  return {
    id,
    command: command.join(' '),
    outcome,
    startedAt,
    ...(wallMs === undefined ? {} : {wallMs}),
    counts: record.counts ?? countOutcomes(nodes),
    targets,
    seed,
    jobs,
    host,
    environment: [
      ...Object.entries(versions),
      ...Object.entries(engines).map(([engine, packages]) => [engine, versionsText(packages)] as const),
      ...Object.entries(machine),
    ],
    savedMs,
  };
}

function countOutcomes(nodes: readonly PageNode[]): Readonly<Record<Outcome, number>> {
  const counts = {'up-to-date': 0, cached: 0, executed: 0, failed: 0, blocked: 0, cancelled: 0};
  for (const {outcome} of nodes) counts[outcome]++;
  return counts;
}

/** Those that were read, as they were then; what they are now plays no part. */
function pageSources(books: PageBooks, nodes: readonly PageNode[]): readonly PageSource[] {
  const found = new Map<string, PageSource>();
  for (const node of nodes) {
    const inputs = books.resultOf(node.id)?.action.inputs ?? {};
    for (const [port, read] of groupBy(node.inputs, (input) => input.port)) {
      const bound = Object.hasOwn(inputs, port) ? inputs[port] : undefined;
      const digests = bound === undefined ? [] : 'hash' in bound ? [bound] : bound;
      read.forEach((input, index) => {
        if (input.from !== 'source' || found.get(input.source)?.hash !== undefined) return;
        const digest = digests[index];
        const path = books.loaded?.pipeline.sources[input.source]?.path ?? '';
        const tree = digest && books.treeOf({kind: 'file', digest});
        found.set(input.source, {
          name: input.source,
          path,
          ...(digest === undefined ? {} : {bytes: digest.size, hash: digest.hash}),
          ...(tree && {
            files: tree.entries.length,
            bytes: tree.entries.reduce((sum, entry) => sum + entry.digest.size, 0),
          }),
        });
      });
    }
  }
  return [...found.values()];
}

/** The code as it was when the nodes' results were made; of nodes without one, as it is now. */
function pageStages(books: PageBooks, nodes: readonly PageNode[]): readonly PageStage[] {
  const found = new Map<string, PageStage>();
  for (const {id, stage} of nodes) {
    const now = books.stageOf(stage);
    const code = books.resultOf(id)?.action.code ?? now?.code;
    if (code === undefined || found.has(`${stage} ${code}`)) continue;
    const stored = now?.code === code ? now.manifest : parseJson(books.blobs.peek(code)?.toString('utf8') ?? '');
    const {files = {}, packages = {}} = (stored ?? {}) as Partial<CodeManifest>;
    found.set(`${stage} ${code}`, {
      name: stage,
      summary: now?.summary ?? '',
      code,
      files: Object.entries(files).map(([path, hash]) => ({path, hash})),
      packages,
    });
  }
  return [...found.values()];
}
