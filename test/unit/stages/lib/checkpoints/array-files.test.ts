import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {StageError} from 'mixdown/stage';
import {describe, expect, test} from 'vitest';
import {npzTensors, safeTensors} from '../../../../../stages/lib/checkpoints/array-files.ts';
import {openRandomFile, type RandomFile} from '../../../../../stages/lib/formats/random-file.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../../../golden/checkpoints/npz.json', import.meta.url), 'utf8'),
) as Readonly<Record<'stored' | 'deflated', string>>;

/** What `use` makes of a file with these bytes. */
function withFile<T>(bytes: Uint8Array, use: (file: RandomFile) => T): T {
  const path = join(temporaryFolder(), 'weights');
  writeFileSync(path, bytes);
  const file = openRandomFile(path, 'the weights');
  try {
    return use(file);
  } finally {
    file.close();
  }
}

const counting = (size: number): number[] => Array.from({length: size}, (_, i) => i);
const EXPECTED = {
  half: {shape: [5], values: [1, -2, 2 ** -24, Infinity, 65504]},
  fortran: {shape: [2, 3, 4], values: counting(24)},
  double: {shape: [1, 2], values: [Math.fround(0.1), -0.25]},
  'features.0.weight': {shape: [2, 1, 3, 3], values: counting(18)},
  'scope/a:0': {shape: [], values: [3]},
} as const;

describe('npzTensors', () => {
  test.each(['stored', 'deflated'] as const)('reads what NumPy writes, %s', (how) => {
    withFile(Buffer.from(golden[how], 'base64'), (file) => {
      const tensors = npzTensors(file);
      expect([...tensors.keys()]).toEqual(['half', 'fortran', 'double', 'step', 'features.0.weight', 'scope/a:0']);
      for (const [name, {shape, values}] of Object.entries(EXPECTED)) {
        expect(tensors.get(name)?.shape).toEqual(shape);
        expect([...(tensors.get(name)?.read() ?? [])]).toEqual(values);
      }
      expect(() => tensors.get('step')?.read()).toThrow(/step.npy, is of dtype <i8; <f2, <f4 or <f8 is needed/);
    });
  });

  test.each(['stored', 'deflated'] as const)('a changed byte or a cut is an error, or changes nothing, %s', (how) => {
    const whole = Buffer.from(golden[how], 'base64');
    const check = (bytes: Buffer): void => {
      try {
        withFile(bytes, (file) => {
          const tensors = npzTensors(file);
          for (const [name, {shape, values}] of Object.entries(EXPECTED)) {
            // A name has no checksum: under another one, the import will miss it.
            const tensor = tensors.get(name);
            if (tensor === undefined) continue;
            expect([...tensor.read()]).toEqual(values);
            expect(tensor.shape).toEqual(shape);
          }
        });
      } catch (error) {
        expect(error).toBeInstanceOf(StageError);
      }
    };
    fc.assert(
      fc.property(fc.nat({max: whole.length - 1}), fc.integer({min: 1, max: 255}), (at, flip) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        check(bytes);
        check(whole.subarray(0, at));
      }),
      {numRuns: 300},
    );
  });
});

describe('safeTensors', () => {
  const file = (header: object, values: Uint8Array): Buffer => {
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([length, text, values]);
  };
  const words = Uint8Array.of(0x00, 0x3c, 0x01, 0x80, 0x80, 0x3f, 0x49, 0xc0);

  test('converts each type of floating-point number, from any place', () => {
    const header = {
      half: {dtype: 'F16', shape: [2], data_offsets: [0, 4]},
      bfloat: {dtype: 'BF16', shape: [1, 2], data_offsets: [4, 8]},
      double: {dtype: 'F64', shape: [1], data_offsets: [8, 16]},
      single: {dtype: 'F32', shape: [1], data_offsets: [17, 21]},
      step: {dtype: 'I64', shape: [1], data_offsets: [0, 8]},
    };
    const double = new Uint8Array(Float64Array.of(0.1).buffer);
    const single = new Uint8Array(Float32Array.of(0.5).buffer);
    withFile(file(header, Buffer.concat([words, double, Buffer.alloc(1), single])), (opened) => {
      const tensors = safeTensors(opened);
      const read = (name: string): readonly number[] => [...(tensors.get(name)?.read() ?? [])];
      expect(read('half')).toEqual([1, -(2 ** -24)]);
      expect(read('bfloat')).toEqual([1, -3.140625]);
      expect(read('double')).toEqual([Math.fround(0.1)]);
      expect(read('single')).toEqual([0.5]);
      expect(() => read('step')).toThrow(/tensor `step` of the weights is of type I64, not a float type/);
    });
  });

  test('refuses a size that is not that of the shape, before it makes room for it', () => {
    const header = {x: {dtype: 'F32', shape: [2 ** 26, 2 ** 26], data_offsets: [0, 8]}};
    withFile(file(header, words), (opened) => {
      expect(() => safeTensors(opened).get('x')?.read()).toThrow(
        /`x` of the weights has 8 bytes, .* 67108864 x 67108864/,
      );
    });
  });
});
