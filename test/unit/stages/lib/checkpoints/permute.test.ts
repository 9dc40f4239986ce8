import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {permute} from '../../../../../stages/lib/checkpoints/permute.ts';

/** Element by element, with places counted axis by axis. */
function reference(values: Float32Array, shape: readonly number[], axes: readonly number[]): number[] {
  const sizes = axes.map((axis) => shape[axis] ?? 0);
  return Array.from(values, (_, at) => {
    const place: number[] = [];
    let rest = at;
    for (let i = sizes.length - 1; i >= 0; i--) {
      place[axes[i] ?? 0] = rest % (sizes[i] ?? 1);
      rest = Math.floor(rest / (sizes[i] ?? 1));
    }
    return values[shape.reduce((sum, size, axis) => sum * size + (place[axis] ?? 0), 0)] ?? NaN;
  });
}

describe('permute', () => {
  const cases = fc
    .array(fc.integer({min: 1, max: 9}), {maxLength: 4})
    .chain((shape) => fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], {minLength: shape.length})));

  test('gives what counting gives, for any shape and order', () => {
    fc.assert(
      fc.property(cases, ([shape, axes]) => {
        const size = shape.reduce((product, axis) => product * axis, 1);
        const values = Float32Array.from({length: size}, (_, i) => i);
        expect([...permute(values, shape, axes)]).toEqual(reference(values, shape, axes));
      }),
    );
  });

  test('larger than its blocks', () => {
    const values = Float32Array.from({length: 130 * 70}, (_, i) => i);
    const turned = permute(values, [130, 70], [1, 0]);
    expect([...turned]).toEqual(reference(values, [130, 70], [1, 0]));
    expect(permute(turned, [70, 130], [1, 0])).toEqual(values);
  });

  test('nothing', () => {
    expect(permute(new Float32Array(0), [3, 0], [1, 0])).toEqual(new Float32Array(0));
  });
});
