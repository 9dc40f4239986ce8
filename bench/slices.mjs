// A node with `each` over many small files: first build, a build with nothing to do, one changed file; beside a plain loop in
// Node that does the same file work without keeping anything.
//
//   node bench/slices.mjs [items=10000] [runs=5]
//
// Run `npm run build` first.
import {appendFileSync} from 'node:fs';
import {compare, inScratch, measure, mixdown, ms, readOptions, shout, writeFiles} from './measure.mjs';

const {items, runs} = readOptions({items: 10_000, runs: 5});

const pipeline = `version: 1
sources: {texts: {path: texts, include: '*.txt'}}
nodes: {loud: {stage: shout, each: texts}}
`;
const loop = `const fs = require('node:fs');
fs.rmSync('plain', {recursive: true, force: true});
fs.mkdirSync('plain');
for (const name of fs.readdirSync('texts')) {
  fs.writeFileSync('plain/' + name, fs.readFileSync('texts/' + name, 'utf8').toUpperCase());
}
`;

inScratch((root) => {
  const texts = Array.from({length: items}, (_, i) => [`texts/${i}.txt`, `this is text number ${i}\n`]);
  writeFiles(root, {...Object.fromEntries(texts), 'stages/shout.ts': shout, 'pipeline.yaml': pipeline});
  const plain = measure(root, process.execPath, ['-e', loop]);
  const first = mixdown(root, 'run', '--quiet');
  /** @param {{cpuMs: number}} result */
  const each = (result) => `${((result.cpuMs * 1000) / items).toFixed(0)} us cpu an item`;
  console.log(`${items} items, plain loop  ${ms(plain.wallMs)}, ${each(plain)}`);
  console.log(
    `${items} items, first build ${ms(first.wallMs)}, ${each(first)}, ${((items / first.wallMs) * 1000).toFixed(0)} slices/s, ` +
      `${first.rssMiB.toFixed(0)} MiB`,
  );
  compare(runs, {
    'node -e 0': () => measure(root, process.execPath, ['-e', '0']),
    'nothing to do': () => mixdown(root, 'run', '--quiet'),
    'one changed item': () => {
      appendFileSync(`${root}/texts/0.txt`, 'more\n');
      return mixdown(root, 'run', '--quiet');
    },
  });
});
