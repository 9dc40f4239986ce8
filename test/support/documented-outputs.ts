import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

export interface DocumentedOutput {
  readonly command: string;
  /** Name of the schema of what it prints with --json. */
  readonly schema: string;
}

const path = fileURLToPath(new URL('../../docs/records.md', import.meta.url));

/** What docs/records.md says that commands print with --json. */
export function documentedOutputs(): readonly DocumentedOutput[] {
  const [, section = ''] = readFileSync(path, 'utf8').split('## Output of commands');
  return section
    .slice(0, section.indexOf('\n## '))
    .split('\n')
    .flatMap((line) => {
      const [, commands = '', about = ''] = /^\| (.*?) \| (.*?) \|$/.exec(line) ?? [];
      const [, schema] = /\.\.\/schemas\/([\w-]+)\.schema\.json/.exec(about) ?? [];
      const names = new Set([...commands.matchAll(/`mixdown (\w+)/g)].map(([, name = '']) => name));
      return schema === undefined ? [] : [...names].map((command) => ({command, schema}));
    });
}
