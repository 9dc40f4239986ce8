import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {parse} from 'yaml';

interface Shipped {
  readonly vars: {
    readonly series: Readonly<Record<string, {readonly name: string}>>;
    readonly variants: readonly string[];
    readonly experiments: Readonly<Record<string, {readonly series: {readonly name: string}}>>;
    readonly groups: Readonly<Record<string, readonly string[]>>;
    readonly weights: Readonly<Record<string, string>>;
  };
}

const {vars} = parse(readFileSync(new URL('../../../pipeline.yaml', import.meta.url), 'utf8')) as Shipped;

test('the tables of settings fit each other', () => {
  for (const [key, {name}] of Object.entries(vars.series)) expect(name).toBe(key);
  for (const {series} of Object.values(vars.experiments)) expect(vars.series[series.name]).toEqual(series);
  expect(Object.keys(vars.experiments)).toEqual(expect.arrayContaining([...vars.variants]));
  for (const members of Object.values(vars.groups)) {
    expect(Object.keys(vars.weights)).toEqual(expect.arrayContaining([...members]));
  }
});
