import {expect, test} from 'vitest';
import {pipelineOf} from './support.ts';

test('smoke', async () => {
  const {pipeline} = pipelineOf(`version: 1
vars: {folds: [1, 2, 3]}
sources:
  clips: {path: data, include: '**/*.wav'}
nodes:
  refined: {stage: refine, each: clips}
  train:
    stage: train
    matrix: {fold: '\${vars.folds}', levels: [h1, 'h1+h2']}
    inputs: {features: refined}
    params: {fold: '\${matrix.fold}', levels: '\${matrix.levels}'}
  merge:
    stage: merge
    matrix: {levels: '\${train.levels}'}
    inputs: {parts: 'train[fold=*,levels=\${matrix.levels}].predictions'}
  plot:
    command: [gnuplot, plot.gp, '\${outputs.plot}']
    inputs: {plot.gp: clips, tables: 'merge[*].table'}
    outputs: {plot: plot.svg}
`);
  console.log(JSON.stringify(await pipeline(), null, 1));
});
test('bad', async () => {
  const {mistakes} = pipelineOf(`version: 1
vars: {folds: [1, 2, 3]}
sources:
  clips: {path: data, includ: '**/*.wav'}
nodes:
  refined: {stage: refin, each: clips}
  train:
    stage: train
    matrix: {fold: '\${vars.folds}', levels: [h1, 'h1+h2']}
    timeout: 3x
    command: foo bar
  x: {}
`);
  console.log(await mistakes());
});
