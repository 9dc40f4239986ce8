import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {readUserConfig} from '../../../src/config/user-config.ts';
import {renderDiagnostics} from '../../../src/core/diagnostic-text.ts';
import {pipelineOf} from './support.ts';

async function told(text: string): Promise<string> {
  const config = await readUserConfig(text, 'config.yaml');
  const failures = config.ok ? await config.value.explain() : config.error;
  return renderDiagnostics(failures);
}

describe('a configuration of the user', () => {
  it.each(['', '# nothing\n', 'cache:', 'cache: {}', 'cache: {remote: }'])('may say nothing: %j', async (text) => {
    const config = await readUserConfig(text, 'config.yaml');
    expect(config).toEqual({ok: true, value: {explain: expect.any(Function)}});
  });

  it('is handed on as it is', async () => {
    const config = await readUserConfig('cache: {remote: {url: a, adress: b}}', 'config.yaml');
    expect(config).toMatchObject({ok: true, value: {remote: {url: 'a', adress: 'b'}}});
  });

  it('tells mistakes with their places', async () => {
    expect(await told('cache:\n  remote:\n    url: a\n    mod: read-only\n    recheck: 5\n')).toMatchInlineSnapshot(`
      "config.yaml:4:5: unknown key \`mod\` in \`remote\` [unknown-key]
        2 |   remote:
        3 |     url: a
      > 4 |     mod: read-only
          |     ~~~
        5 |     recheck: 5
        hint: did you mean \`mode\`?

      config.yaml:5:14: \`recheck\` must be a share from 0% to 100%, or from 0 to 1, not \`5\` [schema-violation]
        3 |     url: a
        4 |     mod: read-only
      > 5 |     recheck: 5
          |              ~
        hint: for 5 of 100: \`5%\`

      2 problems
      "
    `);
    expect(await told('cahce: {remote: {url: a}}')).toMatchInlineSnapshot(`
      "config.yaml:1:1: unknown key \`cahce\` in the configuration [unknown-key]
      > 1 | cahce: {remote: {url: a}}
          | ~~~~~
        hint: did you mean \`cache\`?
      "
    `);
    expect(await told('cache: {remot: {url: a}}')).toMatchInlineSnapshot(`
      "config.yaml:1:9: unknown key \`remot\` in \`cache\` [unknown-key]
      > 1 | cache: {remot: {url: a}}
          |         ~~~~~
        hint: did you mean \`remote\`?
      "
    `);
    expect(await told('- cache')).toMatchInlineSnapshot(`
      "config.yaml:1:1: the configuration must be a mapping, not a list [schema-violation]
      > 1 | - cache
          | ~~~~~~~
      "
    `);
    expect(await told('cache: [')).toMatchInlineSnapshot(`
      "config.yaml:1:9: flow sequence in block collection must be sufficiently indented and end with a ] [yaml-syntax]
      > 1 | cache: [
          |         ~
      "
    `);
    expect(await told('cache: {remote: {credentials: {bearer: {env: A}}}}')).toMatchInlineSnapshot(`
      "config.yaml:1:18: \`credentials\` needs \`url\` beside it [schema-violation]
      > 1 | cache: {remote: {credentials: {bearer: {env: A}}}}
          |                  ~~~~~~~~~~~
        hint: they are sent to the host of that address alone
      "
    `);
  });

  it.each([
    ['credentials', '{bearer: hunter2-is-secret}'],
    ['credentials', 'hunter2-is-secret'],
    ['sign', 'hunter2-is-secret'],
    ['sign', '{pem: hunter2-is-secret}'],
    ['trust', '{main: {ci: MC4CAQAwBQYDK2VwBCIEIhunter2-is-secret}}'],
    ['trust', '{main: hunter2-is-secret}'],
    ['url', '"https://ada:hunter2-is-secret@host/"'],
    ['url', '"https://host/?sig=hunter2-is-secret"'],
  ])('shows no excerpt where %s is a secret, nor of a mistake beside it', async (key, value) => {
    const text = await told(`cache:\n  remote:\n    adress: b\n    ${key}: ${value}\n`);
    expect(text).toContain('config.yaml:3');
    expect(text).toContain('config.yaml:4');
    expect(text).not.toContain('hunter2');
  });

  it('says of a private key what it is', async () => {
    const text = await told('cache: {remote: {trust: {main: {ci: MC4CAQAwBQYDK2VwBCIEI}}}}');
    expect(text).toContain('`ci` in `main`: that is a private key');
    expect(text).toContain('make another');
  });
});

it('a secret in pipeline.yaml is in no excerpt, of other mistakes neither', async () => {
  const {mistakes} = pipelineOf(`version: 1
nodes: {all: {stage: mak}}
cache:
  remote:
    sign: hunter2
    trust: {main: {ci: MC4CAQAwBQYDK2VwBCIEIhunter2}}
sources: {a: {}}
`);
  expect(await mistakes()).toMatchInlineSnapshot(`
    "
    pipeline.yaml:2:22: unknown stage \`mak\` [unknown-stage]
      hint: did you mean \`make\`?

    pipeline.yaml:5:11: \`sign\` must be {env: NAME} or {file: PATH} [schema-violation]
      hint: a key is not written down: \`sign: {env: MIXDOWN_KEY}\`, or \`{file: PATH}\`

    pipeline.yaml:6:24: \`ci\` in \`main\`: that is a private key [schema-violation]
      hint: make another with \`mixdown cache key\`, for whoever read this file knows this one; others trust its public half

    pipeline.yaml:7:11: source \`a\` needs \`path\` [schema-violation]

    4 problems
    "
  `);
});

it('has the schema of the remote cache from that of pipeline.yaml', () => {
  const defsOf = (name: string): Record<string, unknown> => {
    const text = readFileSync(`schemas/${name}.schema.json`, 'utf8');
    return (JSON.parse(text) as {readonly $defs: Record<string, unknown>}).$defs;
  };
  const [own, theirs] = [defsOf('config'), defsOf('pipeline')];
  for (const [name, definition] of Object.entries(own)) expect([name, definition]).toEqual([name, theirs[name]]);
});
