import {readFileSync} from 'node:fs';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {encodeWav} from '../../stages/lib/audio/wav-write.ts';
import {Workspace} from '../support/workspace.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The manual's only block in a language, or the one that contains some words. */
function block(language: string, words = ''): string {
  const blocks = [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(
    ([, info, text]) => info === language && text!.includes(words),
  );
  expect(blocks).toHaveLength(1);
  return blocks[0]![2]!;
}

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => {
  workspace.dispose();
});

it('the pipeline of the manual runs', async () => {
  workspace.write('pipeline.yaml', block('yaml'));
  workspace.write('scripts/count.sh', 'ls $1/* > sizes.txt\n');
  const tone = Float64Array.from({length: 16_000}, (_, n) => Math.sin(n / 10));
  for (const name of ['a', 'b', 'c']) {
    workspace.write(`data/audio/${name}.wav`, encodeWav({sampleRate: 16_000, channels: [tone]}, 'pcm16'));
  }
  expect(await workspace.run('run', '--quiet')).toEqual({code: 0, stdout: '', stderr: ''});
  expect(workspace.read('runs/latest/out/sizes/sizes.txt')).toBe(
    ['patches/000-patches:', 'a.npy', 'b.npy', 'c.npy', '', 'patches/001-patches:', 'a.npy', 'b.npy', 'c.npy', ''].join(
      '\n',
    ),
  );
});

it('the mistake of the manual is reported as it says', async () => {
  workspace.write('pipeline.yaml', block('yaml').replace('stage: log-mel', 'stage: log-mell'));
  const {code, stderr} = await workspace.run('validate');
  expect(code).toBe(2);
  expect(stderr.trim()).toBe(block('text', 'log-mell').trim());
});

it('the pipeline for a dataset with official folds is well', async () => {
  const page = readFileSync(new URL('../../docs/audio.md', import.meta.url), 'utf8');
  const yaml = [...page.matchAll(/^```yaml\n(version: 1\n.*?)^```$/gms)].map(([, text]) => text!);
  expect(yaml).toHaveLength(1);
  workspace.write('pipeline.yaml', yaml[0]!);
  expect(await workspace.run('validate')).toMatchObject({code: 0, stderr: ''});
});

it('the stage of the manual runs', async () => {
  workspace.write('stages/scale.ts', block('ts'));
  workspace.write('two.txt', '2');
  workspace.write(
    'pipeline.yaml',
    'version: 1\nsources: {two: two.txt}\nnodes:\n  scaled: {stage: scale, inputs: {value: two}}\n',
  );
  expect((await workspace.run('run', '--quiet')).code).toBe(0);
  expect(workspace.read('runs/latest/out/scaled/scaled.txt')).toBe('4\n');
});
