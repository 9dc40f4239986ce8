import {statSync} from 'node:fs';
import {defineStage, type InputTree} from 'mixdown/stage';
import {BadClip} from './lib/audio/bad-clip.ts';
import {openPackage, type Labeller} from './lib/packages/labeller.ts';
import {describeLabels, writeLabels, type LabelsFile} from './lib/packages/labels-file.ts';
import type {ComputePlace} from './lib/onnx/open-model.ts';

export default defineStage({
  name: 'predict',
  summary: 'Labels recordings with a model package: the classes that score best for each.',
  params: {top: {type: 'integer', minimum: 1, default: 3, about: 'classes named for each recording'}},
  inputs: {
    model: {kind: 'tree', about: 'a model package, from export-model'},
    recordings: {kind: 'tree', about: 'sound files of any kind that resample-trim takes'},
  },
  outputs: {
    labels: {
      kind: 'file',
      name: 'labels.json',
      compare: {as: 'json', absolute: 0.001},
      about: 'type labels/1: per recording its best classes with their scores, or the reason why it could not be read',
    },
  },
  numericBackend: true,
  async run({params, inputs, outputs, engine, threads, signal, log, progress, metric}) {
    const labeller = await keptPackage(inputs.model, {engine, threads});
    const {classes} = labeller.description;
    const {entries} = inputs.recordings;
    const recordings: LabelsFile['recordings'][number][] = [];
    for (const [i, {path, file}] of entries.entries()) {
      signal.throwIfAborted();
      progress(i / entries.length, path);
      try {
        recordings.push(describeLabels(path, await labeller.label(file, {signal, log}), classes, params.top));
      } catch (error) {
        if (!(error instanceof BadClip)) throw error;
        log(`${path}: ${error.message}`);
        recordings.push({path, reason: error.message});
      }
    }
    writeLabels(outputs.labels, recordings);
    const bad = recordings.filter((recording) => 'reason' in recording).length;
    metric('labelled', recordings.length - bad);
    metric('bad', bad);
  },
});

/**
 * The last package. An exception to "no state in modules": `mixdown predict` runs this stage once for each recording in a
 * worker that stays alive, and loading the networks takes longer than most recordings. It holds one package, and changes no
 * result.
 */
const cache: {last?: {readonly key: string; readonly labeller: Labeller}} = {};

async function keptPackage(model: InputTree, place: ComputePlace): Promise<Labeller> {
  const key = JSON.stringify([place, model.entries.map(({path, file}) => [path, file, ...stampOf(file)])]);
  if (cache.last?.key === key) return cache.last.labeller;
  await cache.last?.labeller.dispose();
  delete cache.last;
  const files = new Map(model.entries.map(({path, file}) => [path, file]));
  const labeller = await openPackage((path) => files.get(path), place);
  cache.last = {key, labeller};
  return labeller;
}

function stampOf(file: string): readonly string[] {
  const {dev, ino, size, mtimeNs, ctimeNs} = statSync(file, {bigint: true});
  return [dev, ino, size, mtimeNs, ctimeNs].map(String);
}
