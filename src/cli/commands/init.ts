import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {failure} from '../../core/failure.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {packageRoot} from '../package.ts';
import {pipelineName} from '../project.ts';

/** Writes a starter project into the working directory. Refuses when one of its files is there. */
export function initCommand(context: Context): Promise<ExitCode> {
  const {io, globals} = context;
  const folder = resolve(io.cwd, globals.directory ?? '.');
  const taken = Object.keys(starter).filter((path) => existsSync(join(folder, path)));
  if (taken.length > 0) {
    const problem = failure('usage', `${taken.join(' and ')} ${taken.length === 1 ? 'is' : 'are'} here already`, {
      hint: 'nothing was written; start in an empty folder, or name one with -C',
    });
    return Promise.resolve(context.fail([problem]));
  }
  const ignored = !existsSync(join(folder, '.gitignore'));
  for (const [path, text] of Object.entries(starter)) {
    write(join(folder, path), path === pipelineName ? modeline(folder) + text : text);
  }
  if (ignored) write(join(folder, '.gitignore'), 'node_modules/\ncache/\nruns/\n');
  const written = [...Object.keys(starter), ...(ignored ? ['.gitignore'] : [])];
  if (context.globals.json) context.printJson({folder, written});
  else {
    const hint = ignored ? '' : '\nadd cache/ and runs/ to .gitignore';
    context.print(`wrote ${written.join(', ')}${hint}\nnext: mixdown run`);
  }
  return Promise.resolve(exitCodes.done);
}

/** Tells editors where the schema lies, when mixdown is installed in the project: other paths would hold on this machine only. */
function modeline(folder: string): string {
  const schema = relative(folder, join(packageRoot, 'schemas/pipeline.schema.json')).replaceAll('\\', '/');
  return schema.startsWith('node_modules/') ? `# yaml-language-server: $schema=./${schema}\n` : '';
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, text, {flag: 'wx'});
}

const starter: Readonly<Record<string, string>> = {
  [pipelineName]: `# What every key means: the README of mixdown. What would run: mixdown plan.
version: 1
vars: {smallest: 3}
sources:
  text: {path: data/words.txt}
nodes:
  # A stage is a TypeScript file in stages/; see \`mixdown stages long-words\`.
  long-words:
    stage: long-words
    inputs: {text: text}
    params: {smallest: '\${vars.smallest}'}
  # Any program: its inputs lie in its folder under the names of their ports.
  count:
    shell: bash -euo pipefail
    script: wc -w < words > count.txt
    inputs: {words: long-words}
    outputs: {count: {path: count.txt, display: true}}
targets: {default: [count]}
`,
  'data/words.txt': 'a declarative build system runs only what is stale\n',
  'stages/long-words.ts': `import {readFileSync, writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'long-words',
  summary: 'Keeps the words that are long enough.',
  params: {smallest: {type: 'integer', minimum: 1, default: 4, about: 'letters that a word must have'}},
  inputs: {text: {kind: 'file', about: 'plain text'}},
  outputs: {words: {kind: 'file', name: 'words.txt', about: 'one word a line'}},
  run({params, inputs, outputs, metric}) {
    const words = readFileSync(inputs.text, 'utf8').split(/\\s+/);
    const long = words.filter((word) => word.length >= params.smallest);
    metric('words', long.length);
    writeFileSync(outputs.words, \`\${long.join('\\n')}\\n\`);
  },
});
`,
};
