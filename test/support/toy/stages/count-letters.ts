import {readFileSync, writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';
import {letters} from './lib/letters.ts';

export default defineStage({
  name: 'count-letters',
  summary: 'Counts the letters of a text.',
  params: {},
  inputs: {text: {kind: 'file', about: 'a text'}},
  outputs: {count: {kind: 'file', name: 'count.json', about: 'a number'}},
  run({inputs, outputs}) {
    writeFileSync(outputs.count, `${letters(readFileSync(inputs.text, 'utf8'))}\n`);
  },
});
