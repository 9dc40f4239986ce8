import {createHash} from 'node:crypto';
import {readFileSync, statSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import demoSounds from '../../../stages/demo-sounds.ts';
import folds from '../../../stages/folds.ts';
import {readCsv} from '../../../stages/lib/formats/csv.ts';
import {decodeWav} from '../../../stages/lib/audio/wav.ts';
import {runStage, treeOf} from '../../support/stage-harness.ts';

interface Demo {
  readonly clips: string;
  readonly labels: string;
}

function hashOf({clips, labels}: Demo): string {
  const hash = createHash('sha256').update(readFileSync(labels));
  for (const {path, file} of treeOf(clips).entries) hash.update(path).update(readFileSync(file));
  return hash.digest('hex');
}

describe('demo-sounds', () => {
  const first = runStage(demoSounds, {seed: 1});

  test('the same seed gives the same bytes, another seed others', async () => {
    const again = await runStage(demoSounds, {seed: 1});
    const other = await runStage(demoSounds, {seed: 2});
    expect(hashOf(again.outputs)).toBe(hashOf((await first).outputs));
    expect(hashOf(other.outputs)).not.toBe(hashOf(again.outputs));
  });

  test('clips are whole, audible and of many kinds', async () => {
    const {outputs, metrics} = await first;
    const {entries} = treeOf(outputs.clips);
    const sounds = entries.map(({file}) => decodeWav(readFileSync(file)));
    for (const {channels} of sounds) {
      const peak = channels[0]!.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expect(peak).toBeGreaterThan(0.01);
      expect(peak).toBeLessThanOrEqual(1.5);
    }
    const seconds = sounds.map(({channels, sampleRate}) => channels[0]!.length / sampleRate);
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(0.4);
    expect(Math.max(...seconds)).toBeLessThan(5);
    expect(seconds.filter((s) => s < 0.975).length).toBeGreaterThan(10);
    expect(seconds.filter((s) => s > 2).length).toBeGreaterThan(2);
    expect(new Set(sounds.map(({sampleRate}) => sampleRate)).size).toBeGreaterThanOrEqual(5);
    expect(new Set(sounds.map(({channels}) => channels.length))).toEqual(new Set([1, 2]));
    const bits = entries.map(({file}) => readFileSync(file).readUInt16LE(34));
    expect([...new Set(bits)].toSorted((a, b) => a - b)).toEqual([8, 16, 24, 32]);
    expect(entries.reduce((sum, {file}) => sum + statSync(file).size, 0)).toBe(metrics['bytes']);
    expect(metrics['bytes']).toBeLessThan(3_500_000);
  });

  test('labels are unbalanced, mostly verified, and only unverified ones are wrong', async () => {
    const {outputs, metrics} = await first;
    const rows = readCsv(outputs.labels, ['fname', 'label', 'manually_verified']);
    expect(rows.map((row) => row['fname'])).toEqual(treeOf(outputs.clips).entries.map(({path}) => path));
    expect(rows.length).toBe(metrics['clips']);
    const made = rows.map((row) => row['fname']!.replace(/-\d+\.wav$/, ''));
    const sizes = [...new Set(made)].map((kind) => made.filter((other) => other === kind).length);
    expect([sizes.length, Math.min(...sizes), Math.max(...sizes)]).toEqual([12, 7, 12]);
    const wrong = rows.filter((row, i) => row['label'] !== made[i]);
    expect(wrong.length).toBeGreaterThan(0);
    expect(wrong.length).toBeLessThan(15);
    expect(wrong.every((row) => row['manually_verified'] === '0')).toBe(true);
    const verified = rows.filter((row) => row['manually_verified'] === '1').length / rows.length;
    expect(Math.abs(verified - 0.7)).toBeLessThan(0.15);
  });

  test('makes up to 16 kinds of sound', async () => {
    const {outputs, metrics} = await runStage(demoSounds, {params: {classes: 16, fewestClips: 1, mostClips: 1}});
    expect(metrics['clips']).toBe(16);
    expect(treeOf(outputs.clips).entries.map(({key}) => key)).toContain('voice-01');
  });

  test('goes into folds, every label in every fold', async () => {
    const {outputs} = await first;
    const {logs} = await runStage(folds, {inputs: {labels: outputs.labels, clips: outputs.clips}});
    expect(logs).toEqual([]);
  });

  test('refuses fewestClips above mostClips', async () => {
    await expect(runStage(demoSounds, {params: {fewestClips: 9, mostClips: 8}})).rejects.toThrow(
      'fewestClips is 9, more than mostClips, which is 8',
    );
  });
});
