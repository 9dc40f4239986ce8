import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {runProgram} from '../../../src/cli/program.ts';
import {fakeIo} from '../../support/fake-io.ts';
import {documentedOutputs} from '../../support/documented-outputs.ts';
import {errorsOf} from '../../support/schemas.ts';

interface EventShape {
  readonly properties: Readonly<Record<string, unknown>> & {readonly type: {readonly const: string}};
}

const {oneOf} = JSON.parse(readFileSync('schemas/event.schema.json', 'utf8')) as {
  readonly oneOf: readonly EventShape[];
};
const page = readFileSync('docs/records.md', 'utf8');
const sections = page.split(/^### /m).slice(1);

describe('docs/records.md', () => {
  it('has a section for each type of event', () => {
    expect(sections.map((section) => section.slice(0, section.indexOf('\n')))).toEqual(
      oneOf.map(({properties}) => properties.type.const),
    );
  });

  it.each(oneOf.map(({properties}, index) => [properties.type.const, properties, sections[index] ?? ''] as const))(
    'tells of every member of %s, with an example that is valid',
    (type, properties, section) => {
      const [text = '', example = ''] = section.split('```json\n');
      const event = JSON.parse(example.split('```')[0] ?? '') as Record<string, unknown>;
      expect(event['type']).toBe(type);
      expect(errorsOf('event', event)).toEqual([]);
      const told = new Set([...text.matchAll(/`(\w+)`/g)].map(([, name]) => name));
      const members = Object.keys(properties).filter((name) => name !== 'type' && name !== 'at');
      expect(members.filter((name) => !told.has(name))).toEqual([]);
    },
  );

  it('names schemas that are there', () => {
    const linked = [...page.matchAll(/\.\.\/schemas\/([\w-]+)\.schema\.json/g)].map(([, name = '']) => name);
    expect(linked.length).toBeGreaterThan(2);
    for (const name of linked) expect(errorsOf(name, 0)).not.toEqual([]);
  });

  it('says of each command what it prints with --json', async () => {
    const io = fakeIo('/', ['completion', 'fish']);
    await runProgram(io, '');
    const commands = [...io.out().matchAll(/__fish_use_subcommand -f -a (\S+)/g)].map(([, name]) => name);
    expect(commands.length).toBeGreaterThan(20);
    const told = new Set(documentedOutputs().map(({command}) => command));
    expect(commands.filter((name) => name !== 'completion' && !told.has(name ?? ''))).toEqual([]);
    expect([...told].filter((name) => !commands.includes(name))).toEqual([]);
    const refused = fakeIo('/', ['completion', 'fish', '--json']);
    expect(await runProgram(refused, '')).toBe(2);
    expect([refused.out(), refused.err()]).toEqual(['', expect.stringContaining('there is no JSON of it')]);
  });
});
