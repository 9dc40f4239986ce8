import {readFileSync, writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'scale',
  summary: 'Multiplies a number.',
  params: {by: {type: 'number', about: 'the factor'}},
  inputs: {total: {kind: 'file', about: 'a number'}},
  outputs: {scaled: {kind: 'file', name: 'scaled.json', about: 'the product'}},
  run({params, inputs, outputs}) {
    writeFileSync(outputs.scaled, `${Number(readFileSync(inputs.total, 'utf8')) * params.by}\n`);
  },
});
