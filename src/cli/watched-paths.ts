import {join, resolve} from 'node:path';
import {closure} from '../core/graph.ts';
import {refsOf, type NodeId} from '../core/pipeline.ts';
import type {WatchedPath} from '../store/file-watcher.ts';
import type {Loaded} from './load.ts';
import {packageRoot} from './package.ts';
import type {Project} from './project.ts';

const whole = {include: [], exclude: []} as const;

/** What every pipeline depends on: its file, and the folder where a new stage would be found. */
export function basicPaths({file, root}: Pick<Project, 'file' | 'root'>): readonly WatchedPath[] {
  return [
    {path: file, ...whole},
    {path: join(root, 'stages'), ...whole},
  ];
}

/** What these targets depend on: all that, their sources, and what their stages import from elsewhere. */
export function watchedPaths(
  {project, pipeline, graph}: Pick<Loaded, 'project' | 'pipeline' | 'graph'>,
  targets: readonly NodeId[],
): readonly WatchedPath[] {
  const {root} = project;
  const used = closure(
    graph,
    targets.map((id) => graph.indexOf.get(id)!),
    'producers',
  );
  const code = new Set<string>();
  const read = new Set<string>();
  const stages = new Set<string>();
  for (const index of used) {
    const node = graph.nodes[index]!;
    stages.add(node.stage);
    for (const ref of refsOf(node)) if (ref.from === 'source') read.add(ref.source);
  }
  for (const name of stages) {
    const {file, manifest} = pipeline.stages[name]!;
    const shipped = file?.startsWith(shippedPrefix) ?? false;
    for (const path of Object.keys(manifest.files)) {
      if (shipped) code.add(join(packageRoot, path.slice(shippedPrefix.length)));
      else if (!path.startsWith('stages/')) code.add(join(root, path));
    }
  }
  const sources = [...read].sort().map((name) => {
    const {path, include, exclude} = pipeline.sources[name]!;
    return {path: resolve(root, path), include, exclude};
  });
  return [...basicPaths(project), ...sources, ...[...code].sort().map((path) => ({path, ...whole}))];
}

/** How the catalog shows stages that come with mixdown. */
const shippedPrefix = 'mixdown/';
