import {readFileSync, writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'total',
  summary: 'Adds up numbers.',
  params: {offset: {type: 'number', default: 0, about: 'added to the sum'}},
  inputs: {counts: {kind: 'tree', about: 'numbers'}},
  outputs: {total: {kind: 'file', name: 'total.json', about: 'the sum'}},
  run({params, inputs, outputs, metric}) {
    let sum = params.offset;
    for (const entry of inputs.counts.entries) sum += Number(readFileSync(entry.file, 'utf8'));
    metric('sum', sum);
    writeFileSync(outputs.total, `${sum}\n`);
  },
});
