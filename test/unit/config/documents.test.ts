import {describe, expect, test} from 'vitest';
import {pipelineOf} from './support.ts';

const rest = 'nodes:\n  a: {command: [true], outputs: {x: x}}\n';

describe('documents', () => {
  test('are patterns with their places, whether the document is new or remembered', async () => {
    const project = pipelineOf(`version: 1\nvars: {dir: docs}\ndocuments: [README.md, './\${vars.dir}/*.md']\n${rest}`);
    const expected = [
      {pattern: 'README.md', range: {file: 'pipeline.yaml', line: 3, column: 13, endLine: 3, endColumn: 22}},
      {pattern: 'docs/*.md', range: {file: 'pipeline.yaml', line: 3, column: 24, endLine: 3, endColumn: 44}},
    ];
    expect((await project.pipeline()).documents).toEqual(expected);
    expect((await project.pipeline()).documents).toEqual(expected);
  });

  test('may be one text, or none', async () => {
    const one = await pipelineOf(`version: 1\ndocuments: README.md\n${rest}`).pipeline();
    expect(one.documents).toMatchObject([{pattern: 'README.md', range: {line: 2, column: 12}}]);
    expect(await pipelineOf(`version: 1\n${rest}`).pipeline()).not.toHaveProperty('documents');
  });

  test('are no part of any node', async () => {
    const [without, having] = await Promise.all(
      ['', 'documents: README.md\n'].map((line) => pipelineOf(`version: 1\n${rest}${line}`).pipeline()),
    );
    expect(having?.nodes).toEqual(without?.nodes);
  });

  test('stay below the project folder and are texts', async () => {
    const project = pipelineOf(`version: 1\ndocuments: [/etc/motd, a/../../b.md]\n${rest}`);
    expect(await project.mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:2:13: \`/etc/motd\` is no path below the project folder [bad-value]
        1 | version: 1
      > 2 | documents: [/etc/motd, a/../../b.md]
          |             ~~~~~~~~~
        3 | nodes:
        4 |   a: {command: [true], outputs: {x: x}}
        hint: write it relative to the folder of pipeline.yaml, without \`..\`

      pipeline.yaml:2:24: \`a/../../b.md\` is no path below the project folder [bad-value]
        1 | version: 1
      > 2 | documents: [/etc/motd, a/../../b.md]
          |                        ~~~~~~~~~~~~
        3 | nodes:
        4 |   a: {command: [true], outputs: {x: x}}
        hint: write it relative to the folder of pipeline.yaml, without \`..\`

      2 problems
      "
    `);
    expect(await pipelineOf(`version: 1\ndocuments: [a.md, 7]\n${rest}`).mistakes()).toContain(
      'pipeline.yaml:2:19: item 2 of `documents` must be a text, not `7` [schema-violation]',
    );
  });

  test('outside of the folder through a variable', async () => {
    const project = pipelineOf(`version: 1\nvars: {dir: ../x}\ndocuments: ['a.md', '\${vars.dir}/b.md']\n${rest}`);
    expect(await project.mistakes()).toMatchInlineSnapshot(`
      "
      pipeline.yaml:3:21: \`../x/b.md\` is no path below the project folder (through \${vars.dir}) [bad-value]
        1 | version: 1
        2 | vars: {dir: ../x}
      > 3 | documents: ['a.md', '\${vars.dir}/b.md']
          |                     ~~~~~~~~~~~~~~~~~~
        4 | nodes:
        5 |   a: {command: [true], outputs: {x: x}}
        hint: write it relative to the folder of pipeline.yaml, without \`..\`
      "
    `);
  });
});
