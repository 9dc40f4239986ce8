import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {sha256} from '../../../../src/core/digest.ts';
import type {Failure} from '../../../../src/core/failure.ts';
import type {Pin, Pins} from '../../../../src/core/pins.ts';
import {makeContext, noGlobals} from '../../../../src/cli/context.ts';
import {checkDocuments} from '../../../../src/cli/documents/survey.ts';
import {loadProject} from '../../../../src/cli/load.ts';
import {fakeIo} from '../../../support/fake-io.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mixdown-documents-'));
  write(
    'pipeline.yaml',
    "version: 1\nnodes:\n  a:\n    matrix: {n: [1, 2]}\n    command: [touch, '${matrix.n}.md', p.svg]\n    outputs: {text: '${matrix.n}.md', plot: p.svg}\ndocuments: '*.md'\n",
  );
});
afterEach(() => rmSync(root, {recursive: true, force: true}));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), {recursive: true});
  writeFileSync(join(root, name), text);
}

const pin: Pin = {
  stage: 'command',
  code: sha256('code'),
  params: {rate: 0.5},
  seed: 0,
  toolchain: {},
  inputs: {},
  outputs: {
    text: {kind: 'file', hash: sha256('one\r\n\r\ntwo\r\n'), size: 12},
    plot: {
      kind: 'file',
      hash: sha256('<svg/>'),
      size: 6,
      numbers: {form: sha256('form'), count: 1, values: [1], as: 'json'},
    },
  },
  metrics: {loss: 0.25, best: 3},
};
const pins: Pins = {
  targets: ['default'],
  nodes: new Map([
    ['a[n=1]', pin],
    ['a[n=2]', {...pin, metrics: {loss: 0.75, best: 4}}],
  ]),
};

/** Places and messages of what disagrees; text alone when the check itself failed. */
async function check(given: Pins | 'no lock' = pins): Promise<readonly string[] | string> {
  const context = makeContext(fakeIo(root), noGlobals);
  const loaded = await loadProject(context);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const checked = await checkDocuments(context, loaded.value, given === 'no lock' ? undefined : given);
  return checked.ok ? checked.value.map(told) : checked.error.map(told).join('\n');
}

function told({code, message, diagnostics}: Failure): string {
  const [{range, frame} = {}] = diagnostics ?? [];
  return `${range?.file}:${range?.line}:${range?.column} ${code}: ${message}${frame === undefined ? '' : `\n${frame}`}`;
}

describe('the documents of a project against a lock, without any result', () => {
  test('agree', async () => {
    write('a.md', 'a <!-- mixdown: value a[n=1].loss -->0.2500<!-- /mixdown --> and no more\n');
    write(
      'b.md',
      '<!-- mixdown: metrics a --metric loss -->\n\n**a**\n\n| n   |   loss |\n| :-- | -----: |\n| 1   | 0.2500 |\n| 2   | 0.7500 |\n\n<!-- /mixdown -->\n' +
        '> <!-- mixdown: file a[n=2].text -->\n>\n> one\n>\n> two\n>\n> <!-- /mixdown -->\n\n' +
        'See <!-- mixdown: figure a[n=1].plot p.svg alt=x -->![x](p.svg)<!-- /mixdown -->.\n' +
        'Half: <!-- mixdown: value a.params.rate -->0.5<!-- /mixdown -->, in figures <!-- mixdown: value a.params.rate digits=2 -->0.50<!-- /mixdown -->, <!-- mixdown: value a.loss of=sd digits=1 -->0.4<!-- /mixdown -->',
    );
    write('p.svg', '<svg/>');
    expect(await check()).toEqual([]);
  });

  test('disagree, each block for itself', async () => {
    write(
      'a.md',
      'a\n<!-- mixdown: metrics a --pivot n -->\n<!-- /mixdown -->\nb <!-- mixdown: value a[n=1].loss -->0.2501<!-- /mixdown -->\n',
    );
    write(
      'b.md',
      '<!-- mixdown: file a[n=1].text -->\n\none\n\n<!-- /mixdown -->\n\n<!-- mixdown: figure a[n=1].plot p.svg -->\n\n![a\\[n=1\\].plot](p.svg)\n\n<!-- /mixdown -->\n',
    );
    write('p.svg', '<svg></svg>');
    expect(await check()).toMatchInlineSnapshot(`
      [
        "a.md:4:1 document-differs: \`metrics a --pivot n\` is not what the lock says
         4 + **a**
         5 +
         6 + | metric |    n=1 |    n=2 |
         7 + | :----- | -----: | -----: |
         8 + | best   |      3 |      4 |
         9 + | loss   | 0.2500 | 0.7500 |
        10 +
        11 +",
        "a.md:4:38 document-differs: \`value a[n=1].loss\` shows 0.2501; the lock says 0.2500",
        "b.md:1:1 document-differs: \`file a[n=1].text\` is not a[n=1].text of the lock",
        "b.md:7:1 document-differs: p.svg is not a[n=1].plot of the lock",
      ]
    `);
    expect(readFileSync(join(root, 'a.md'), 'utf8')).toContain('0.2501');
  });

  test('show what is not pinned, or is not there', async () => {
    write(
      'a.md',
      'a <!-- mixdown: value a[n=1].los -->0.25<!-- /mixdown --> <!-- mixdown: value b.loss -->0.25<!-- /mixdown -->\n',
    );
    expect(await check()).toMatchInlineSnapshot(`
      [
        "a.md:1:3 unknown-metric: a[n=1] reports no \`los\`
      > 1 | a <!-- mixdown: value a[n=1].los -->0.25<!-- /mixdown --> <!-- mixdown: value b.loss -->0.25<!-- /mixdown -->
          |   ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
        "a.md:1:59 unknown-target: there is no node or target group \`b\`
      > 1 | a <!-- mixdown: value a[n=1].los -->0.25<!-- /mixdown --> <!-- mixdown: value b.loss -->0.25<!-- /mixdown -->
          |                                                           ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
      ]
    `);
    write('a.md', 'a <!-- mixdown: value a[n=1].loss -->0.25<!-- /mixdown -->\n');
    expect(await check({...pins, nodes: new Map()})).toMatchInlineSnapshot(`
      [
        "a.md:1:3 stale-result: a[n=1] is not in the lock
      > 1 | a <!-- mixdown: value a[n=1].loss -->0.25<!-- /mixdown -->
          |   ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
      ]
    `);
  });

  test('cannot be read', async () => {
    write('a.md', '<!-- mixdown: metrics a -->\n');
    expect(await check()).toMatchInlineSnapshot(`
      "a.md:1:1 document-invalid: the block is not closed
      > 1 | <!-- mixdown: metrics a -->
          | ~~~~~~~~~~~~~~~~~~~~~~~~~~~"
    `);
  });

  test('without a lock, what is stale is told', async () => {
    write('a.md', 'a <!-- mixdown: value a.loss of=mean -->0.25<!-- /mixdown -->\n');
    expect(await check('no lock')).toMatchInlineSnapshot(`
      [
        "a.md:1:3 stale-result: a[n=1] is stale: never built; and 1 more node that documents show
      > 1 | a <!-- mixdown: value a.loss of=mean -->0.25<!-- /mixdown -->
          |   ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
      ]
    `);
  });
});
