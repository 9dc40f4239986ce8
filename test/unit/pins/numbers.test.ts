import fc from 'fast-check';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {CompareForm, Tolerance} from '../../../src/core/compare.ts';
import {sha256} from '../../../src/core/digest.ts';
import type {PinnedNumbers} from '../../../src/core/pins.ts';
import {allowedFor, differenceOf} from '../../../src/pins/difference.ts';
import {rootMeanSquare, Sketch} from '../../../src/pins/sketch.ts';
import {takeApart} from '../../../src/pins/take-apart.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mixdown-numbers-'));
});
afterAll(() => {
  rmSync(folder, {recursive: true, force: true});
});

async function apart(as: CompareForm, content: string | Uint8Array): Promise<PinnedNumbers> {
  const file = join(folder, 'file');
  writeFileSync(file, content);
  return takeApart([{path: '', hash: sha256(content), file}], as);
}

/** An `.npy` file of version 1 as NumPy writes it. */
function npy(descr: string, shape: readonly number[], data: Uint8Array, align = 64): Uint8Array {
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dict.length + 1) / align) * align - 10;
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(length, 8);
  return Buffer.concat([head, Buffer.from(`${dict.padEnd(length - 1)}\n`), data]);
}

function floats(values: readonly number[], descr = '<f4', shape: readonly number[] = [values.length]): Uint8Array {
  return npy(descr, shape, new Uint8Array(Float32Array.from(values).buffer));
}

function safetensors(tensors: Readonly<Record<string, readonly number[]>>, metadata = 'a'): Uint8Array {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, {length}]) => {
    const offsets = [at, (at += 4 * length)];
    return [name, {dtype: 'F32', shape: [length], data_offsets: offsets}] as const;
  });
  const header = Buffer.from(JSON.stringify({__metadata__: {title: metadata}, ...Object.fromEntries(entries)}));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Object.values(tensors).map((values) => new Uint8Array(Float32Array.from(values).buffer));
  return Buffer.concat([length, header, ...data]);
}

describe('takeApart', () => {
  it.each<[CompareForm, string, number[]]>([
    ['json', '{"a": [1, -2.5e3], "b": {"c": 0.25}, "name3": "4 and \\"5\\" 6"}', [1, -2500, 0.25]],
    ['csv', 'fold,map3,name\n1,0.5,h1+h3\n2, -1e-3 ,"7"\n', [1, 0.5, 2, -0.001]],
    ['csv', 'a;1.5\r\nb;nan\r\n', [1.5]],
    ['text', '| h1+h3 | **0.604** | 62.5% |\nfold2 at 2026-01-02, x-1 -1. 3', [0.604, 62.5, -1, 3]],
    ['text', '\\textbf{0.5} & 16kHz & v1.2', [0.5]],
  ])('finds the numbers of %s %j', async (as, text, values) => {
    expect(await apart(as, text)).toMatchObject({count: values.length, values});
  });

  it('keeps all else as the form, in which only numbers may differ', async () => {
    const form = async (as: CompareForm, text: string): Promise<string> => (await apart(as, text)).form;
    const base = await form('json', '{"a": 1, "b": "x1"}');
    expect(await form('json', '{"a":2,\n"b":"x1"}')).toBe(base);
    expect(await form('json', '{"a": 1, "b": "x2"}')).not.toBe(base);
    expect(await form('json', '{"a": [1], "b": "x1"}')).not.toBe(base);
    expect(await form('json', '{"a": null, "b": "x1"}')).not.toBe(base);
    expect(await form('json', '{"c": 1, "b": "x1"}')).not.toBe(base);
    expect(await form('csv', '{"a": 1, "b": "x1"}')).not.toBe(base);
    // Ids that a double cannot tell apart are no numbers.
    const id = await form('json', '[9007199254740993]');
    expect(await form('json', '[9007199254740992]')).not.toBe(id);
    // A white space inside a text counts.
    expect(await form('json', '["a b"]')).not.toBe(await form('json', '["ab"]'));
    expect(await form('csv', 'a,1\n')).not.toBe(await form('csv', 'a,1,1\n'));
  });

  it('gives the same however the text falls into pieces', async () => {
    const row = '{"name": "é \\" 12", "values": [0.125, -3e-7, 12345678901234567890, true]}';
    const text = `[${Array.from({length: 40_000}, () => row).join(',\n')}]`;
    expect(text.length).toBeGreaterThan(2 ** 21);
    const {count, form} = await apart('json', text);
    expect(count).toBe(80_000);
    // Moves every piece's end by a few bytes; blanks outside of texts do not count.
    for (const blanks of [1, 2, 3, 5, 8]) {
      expect(await apart('json', ' '.repeat(blanks) + text)).toMatchObject({count, form});
    }
  });

  it('reads arrays of every type that a double holds', async () => {
    const bytes = (array: ArrayBufferView): Uint8Array =>
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const cases: readonly (readonly [string, Uint8Array, number[]])[] = [
      ['<f4', bytes(Float32Array.of(0.5, -2)), [0.5, -2]],
      ['<f8', bytes(Float64Array.of(0.1, 1e300)), [0.1, 1e300]],
      ['>f4', Uint8Array.of(0x3f, 0, 0, 0, 0xc0, 0, 0, 0), [0.5, -2]],
      ['<f2', bytes(Uint16Array.of(0x3800, 0xc000, 0x0001)), [0.5, -2, 2 ** -24]],
      ['|u1', Uint8Array.of(0, 255), [0, 255]],
      ['|i1', bytes(Int8Array.of(-128, 127)), [-128, 127]],
      ['<i4', bytes(Int32Array.of(-5, 7)), [-5, 7]],
      ['<u2', bytes(Uint16Array.of(65535, 1)), [65535, 1]],
    ];
    for (const [descr, data, values] of cases) {
      expect([descr, (await apart('npy', npy(descr, [values.length], data))).values]).toEqual([descr, values]);
    }
    expect(await apart('npy', npy('<i8', [1], new Uint8Array(8)))).toMatchObject({count: 0});
    expect(await apart('npy', npy('|b1', [2], Uint8Array.of(0, 1)))).toMatchObject({count: 0});
  });

  it('has shape, type and the places of NaN and infinities in the form', async () => {
    const base = await apart('npy', floats([1, NaN, 3, 4]));
    expect(base).toMatchObject({count: 4, values: [1, 0, 3, 4]});
    expect((await apart('npy', floats([5, NaN, 3, 4]))).form).toBe(base.form);
    expect((await apart('npy', floats([NaN, 1, 3, 4]))).form).not.toBe(base.form);
    expect((await apart('npy', floats([1, Infinity, 3, 4]))).form).not.toBe(base.form);
    expect((await apart('npy', floats([1, NaN, 3, 4], '<f4', [2, 2]))).form).not.toBe(base.form);
    // Cut short, too long, or no array at all.
    const whole = floats([1, NaN, 3, 4]);
    for (const other of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.of(1)]), 'no array', '']) {
      expect((await apart('npy', other)).form).not.toBe(base.form);
    }
    expect(await apart('npy', whole.subarray(0, -1))).toMatchObject({count: 3});
  });

  it('reads an array in pieces whose ends fall into numbers', async () => {
    const values = Array.from({length: 700_000}, (_, index) => (index % 7) - 3);
    const sketch = new Sketch();
    values.forEach((value) => sketch.add(value));
    // Aligned to an odd number of bytes.
    const file = npy('<f4', [values.length], new Uint8Array(Float32Array.from(values).buffer), 67);
    expect(await apart('npy', file)).toMatchObject({count: 700_000, sketch: sketch.sums()});
  });

  it('reads the tensors of a model, and its words as its form', async () => {
    const base = await apart('safetensors', safetensors({bias: [1, 2], kernel: [3, 4, 5]}));
    expect(base).toMatchObject({count: 5, values: [1, 2, 3, 4, 5]});
    expect((await apart('safetensors', safetensors({bias: [1, 9], kernel: [3, 4, 5]}))).form).toBe(base.form);
    expect((await apart('safetensors', safetensors({bias: [1, 2], kernel: [3, 4, 5]}, 'b'))).form).not.toBe(base.form);
    expect((await apart('safetensors', safetensors({bias: [1, 2, 3], kernel: [4, 5]}))).form).not.toBe(base.form);
    expect(await apart('safetensors', Buffer.from('\xff'.repeat(20), 'latin1'))).toMatchObject({count: 0});
  });

  it('reads the arrays of a zip as NumPy stores them, whatever their checksums', async () => {
    const zip = (checksum: number, values: readonly number[], method = 0): Uint8Array => {
      const data = floats(values);
      const head = Buffer.alloc(30);
      head.writeUInt32LE(0x04034b50, 0);
      head.writeUInt16LE(method, 8);
      head.writeUInt32LE(checksum, 14);
      head.writeUInt32LE(data.length, 18);
      head.writeUInt32LE(data.length, 22);
      head.writeUInt16LE(5, 26);
      const entry = Buffer.concat([head, Buffer.from('a.npy'), data]);
      const directory = Buffer.alloc(46);
      directory.writeUInt32LE(0x02014b50, 0);
      directory.writeUInt32LE(checksum, 16);
      return Buffer.concat([entry, entry, directory]);
    };
    const base = await apart('npz', zip(1, [1, 2]));
    expect(base).toMatchObject({count: 4, values: [1, 2, 1, 2]});
    expect((await apart('npz', zip(7, [3, 2]))).form).toBe(base.form);
    expect((await apart('npz', zip(1, [1, NaN]))).form).not.toBe(base.form);
    // Compressed, cut short, none.
    expect(await apart('npz', zip(1, [1, 2], 8))).toMatchObject({count: 0});
    expect(await apart('npz', zip(1, [1, 2]).subarray(0, 60))).toMatchObject({count: 0});
    expect(await apart('npz', 'no zip')).toMatchObject({count: 0});
  });

  it('takes the entries of a tree in their order, those of another kind by their bytes', async () => {
    const [one, two, note] = ['one.npy', 'two.npy', 'note.md'].map((name) => join(folder, name));
    writeFileSync(one!, floats([1]));
    writeFileSync(two!, floats([2]));
    writeFileSync(note!, '5');
    const part = (path: string, file: string, hash = sha256('same')) => ({path, file, hash});
    const tree = [part('a.npy', one!), part('b.npy', two!), part('c.md', note!)];
    const base = await takeApart(tree, 'npy');
    expect(base).toMatchObject({count: 2, values: [1, 2]});
    const renamed = [part('a.npy', one!), part('z.npy', two!), part('c.md', note!)];
    expect((await takeApart(renamed, 'npy')).form).not.toBe(base.form);
    const changed = [part('a.npy', one!), part('b.npy', two!), part('c.md', note!, sha256('other'))];
    expect((await takeApart(changed, 'npy')).form).not.toBe(base.form);
  });
});

describe('differenceOf', () => {
  const pinned = (values: readonly number[]): PinnedNumbers => ({
    as: 'json',
    form: sha256('form'),
    count: values.length,
    values,
  });

  it.each<[Tolerance, number, number, boolean]>([
    [{}, 1, 1, true],
    [{}, 1, 1 + 1e-15, false],
    [{absolute: 0.125}, 1, 1.125, true],
    [{absolute: 0.1}, 1, 1.11, false],
    [{relative: 0.1}, -10, -11, true],
    // The pinned number is the reference, not the new one: 11.1 * 0.1 would allow it.
    [{relative: 0.1}, 10, 11.1, false],
    [{absolute: 0.1, relative: 0.1}, 10, 11.1, true],
    [{digits: 2}, 0.604, 0.606, true],
    [{digits: 2}, 0.604, 0.61, false],
    // Either side of where rounding changes.
    [{digits: 2}, 0.6049999, 0.6050001, true],
  ])('with %j, %f against %f', (tolerance, before, after, agrees) => {
    expect(differenceOf(pinned([0, before]), pinned([0, after]), tolerance) === undefined).toBe(agrees);
  });

  it('names the number that is furthest off', () => {
    expect(differenceOf(pinned([1, 2, 3]), pinned([1.5, 2, 5]), {absolute: 0.1})).toEqual({
      kind: 'number',
      index: 2,
      count: 3,
      before: 3,
      after: 5,
      allowed: 0.1,
    });
  });

  it('tells a form from numbers, whatever the tolerance', () => {
    const other = {...pinned([1]), form: sha256('other')};
    expect(differenceOf(pinned([1]), other, {absolute: Infinity})).toEqual({kind: 'form'});
    expect(differenceOf(pinned([1]), pinned([1, 2]), {absolute: Infinity})).toEqual({kind: 'form'});
  });

  it('holds the root mean square of many against the tolerance', async () => {
    const values = Array.from({length: 100}, () => 2);
    const before = await apart('npy', floats(values));
    expect(before).toMatchObject({count: 100});
    // One number differs by 5: the root mean square of the differences is 5 / sqrt(100), and the sketch has it exactly.
    const after = await apart('npy', floats(values.with(17, 7)));
    expect(differenceOf(before, after, {absolute: 0.51})).toBeUndefined();
    const found = differenceOf(before, after, {absolute: 0.49});
    expect(found).toMatchObject({kind: 'many', count: 100, allowed: 0.49});
    expect(found?.kind === 'many' && found.difference).toBeCloseTo(0.5, 10);
  });
});

describe('allowedFor', () => {
  it('adds up', () => {
    expect(allowedFor({absolute: 1, relative: 0.5}, -4)).toBe(3);
  });
});

describe('Sketch', () => {
  const sketchOf = (values: readonly number[]): readonly number[] => {
    const sketch = new Sketch();
    for (const value of values) sketch.add(value);
    return sketch.sums();
  };

  it('estimates a root mean square within the stated factor, and without bias', () => {
    const ratios: number[] = [];
    fc.assert(
      fc.property(
        fc.integer({min: 65, max: 2000}),
        fc.integer(),
        fc.constantFrom('flat', 'spiky', 'ramp'),
        (count, seed, shape) => {
          let state = seed;
          const next = (): number => {
            state = (Math.imul(state, 1664525) + 1013904223) | 0;
            return state / 2 ** 31;
          };
          const values = Array.from({length: count}, (_, index) =>
            shape === 'flat' ? next() : shape === 'ramp' ? (index + 1) * next() : next() ** 9,
          );
          const truth = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / count);
          ratios.push(rootMeanSquare(sketchOf(values), count) / truth);
        },
      ),
      {numRuns: 1000, seed: 1},
    );
    const within = (low: number, high: number): number =>
      ratios.filter((ratio) => ratio >= low && ratio <= high).length / ratios.length;
    expect(within(0.6, 1.4)).toBeGreaterThan(0.97);
    expect(within(0.5, 1.6)).toBeGreaterThan(0.995);
    const squares = ratios.reduce((sum, ratio) => sum + ratio * ratio, 0) / ratios.length;
    expect(Math.abs(squares - 1)).toBeLessThan(0.05);
  });

  it('is the same for ever: locks hold its sums', () => {
    expect(sketchOf([1, 10, 100, 1000])).toEqual([
      1089, 1091, 909, 911, -889, -1109, -891, 889, -1089, -889, 1109, 1089, -1089, 1091, 1091, 1091,
    ]);
  });
});
