import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {membersOf, type ClassMembers} from '../../../../../stages/lib/learning/class-members.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {
  balancedSampler,
  parseSamplerState,
  shuffledSampler,
  type Sampler,
} from '../../../../../stages/lib/learning/sampler.ts';

/** Class c has the rows 1000 * c, 1000 * c + 1, ... */
function membersOfSizes(sizes: readonly number[]): ClassMembers {
  const pairs = sizes.flatMap((size, c) => Array.from({length: size}, (_, i) => [1000 * c + i, c] as const));
  return membersOf(
    Int32Array.from(pairs, ([row]) => row),
    Int32Array.from(pairs, ([, c]) => c),
    sizes.length,
  );
}

const classOf = (row: number): number => Math.floor(row / 1000);
const even = (classes: number, size: number): ClassMembers => membersOfSizes(Array<number>(classes).fill(size));

function draw(sampler: Sampler, count: number): readonly number[] {
  const batch = new Int32Array(count);
  sampler.next(batch);
  return [...batch];
}

function countsOf(values: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/**
 * The rule as it is told, with a queue of class ids, and a list and a pointer for each class: an implementation of its own.
 * It is given the permutations in the order in which they are needed.
 */
function plainRule(members: ClassMembers, seed: number) {
  const rng = createRng(seed);
  const lists = Array.from({length: members.classes}, (_, c) => [
    ...members.rows.subarray(members.starts[c], members.starts[c + 1]),
  ]);
  const filled = lists.flatMap((list, c) => (list.length > 0 ? [c] : []));
  const queue: number[] = [];
  const shuffled: number[][] = lists.map(() => []);
  const pointers = lists.map(() => 0);
  const shuffles = lists.map(() => 0);
  let cycles = 0;
  const queued: number[] = [];
  return {
    queued,
    next(size: number): readonly number[] {
      while (queue.length < size) queue.push(...rng.fork(`cycle/${cycles++}`).shuffle(filled));
      queued.push(queue.length);
      return queue.splice(0, size).map((c) => {
        const list = lists[c]!;
        if (pointers[c] === shuffled[c]!.length) {
          shuffled[c] = rng.fork(`${c}/${shuffles[c]!++}`).shuffle(list);
          pointers[c] = 0;
        }
        return shuffled[c]![pointers[c]!++]!;
      });
    },
  };
}

const sizesOf = fc.array(fc.nat({max: 6}), {minLength: 1, maxLength: 12}).filter((sizes) => sizes.some((n) => n > 0));
const batchSizes = fc.array(fc.integer({min: 1, max: 30}), {maxLength: 12});
const seeds = fc.nat({max: 2 ** 31 - 1});

describe('balancedSampler', () => {
  test('draws what a queue of classes with carry-over draws, for any batch sizes', () => {
    fc.assert(
      fc.property(sizesOf, batchSizes, seeds, (sizes, batches, seed) => {
        const members = membersOfSizes(sizes);
        const sampler = balancedSampler(members, {seed});
        const rule = plainRule(members, seed);
        for (const size of batches) expect(draw(sampler, size)).toEqual(rule.next(size));
      }),
    );
  });

  test('of 527 classes a batch of 500 carries 27 to the next, which takes 473 of a fresh cycle', () => {
    const members = even(527, 59);
    const sampler = balancedSampler(members, {seed: 1});
    const rule = plainRule(members, 1);
    const first = draw(sampler, 500);
    expect(first).toEqual(rule.next(500));
    expect([rule.queued, sampler.carried()]).toEqual([[527], 27]);
    const second = draw(sampler, 500);
    expect(second).toEqual(rule.next(500));
    expect([rule.queued, sampler.carried()]).toEqual([[527, 554], 54]);
    const carried = second.slice(0, 27).map(classOf);
    expect(new Set([...first.map(classOf), ...carried]).size).toBe(527);
    expect(new Set(second.slice(27).map(classOf)).size).toBe(473);
  });

  test('a batch as large as the classes has one example of each', () => {
    const sampler = balancedSampler(even(41, 94), {seed: 3});
    for (let i = 0; i < 100; i++) expect(new Set(draw(sampler, 41).map(classOf)).size).toBe(41);
    expect(sampler.carried()).toBe(0);
  });

  test('a batch may be larger than the classes, many times', () => {
    const drawn = draw(balancedSampler(membersOfSizes([3, 1, 2]), {seed: 3}), 3 * 50);
    expect([...countsOf(drawn.map(classOf)).values()]).toEqual([50, 50, 50]);
  });

  test('draws every class once a cycle, and every member once before one comes again', () => {
    fc.assert(
      fc.property(sizesOf, seeds, fc.integer({min: 1, max: 20}), (sizes, seed, cycles) => {
        const sampler = balancedSampler(membersOfSizes(sizes), {seed});
        const classes = sizes.filter((size) => size > 0).length;
        const drawn = draw(sampler, classes * cycles);
        expect(new Set(countsOf(drawn.map(classOf)).values())).toEqual(new Set([cycles]));
        for (const [c, size] of sizes.entries()) {
          if (size === 0) continue;
          const own = drawn.filter((row) => classOf(row) === c);
          for (let i = 0; i < own.length; i += size) {
            const pass = own.slice(i, i + size);
            expect(new Set(pass).size).toBe(pass.length);
          }
        }
      }),
    );
  });

  test('goes on from its state, at every cut', () => {
    const members = membersOfSizes([3, 0, 7, 1, 5]);
    const whole = draw(balancedSampler(members, {seed: 9}), 100);
    for (let cut = 0; cut <= 100; cut++) {
      const before = balancedSampler(members, {seed: 9});
      expect(draw(before, cut)).toEqual(whole.slice(0, cut));
      const text = JSON.stringify(before.state());
      const after = balancedSampler(members, parseSamplerState(text));
      expect(after.carried()).toBe(before.carried());
      expect(draw(after, 100 - cut)).toEqual(whole.slice(cut));
      expect(after.state()).toEqual({...before.state(), drawn: 100});
    }
  });

  test('goes on from its state, for any classes, seeds and cuts', () => {
    fc.assert(
      fc.property(sizesOf, seeds, fc.nat({max: 200}), fc.nat({max: 60}), (sizes, seed, cut, more) => {
        const members = membersOfSizes(sizes);
        const sampler = balancedSampler(members, {seed});
        draw(sampler, cut);
        const restored = balancedSampler(members, sampler.state());
        expect(draw(restored, more)).toEqual(draw(sampler, more));
      }),
    );
  });

  test('depends on the seed; another seed uses other orders of the classes and the members', () => {
    const members = even(30, 40);
    expect(draw(balancedSampler(members, {seed: 1}), 90)).not.toEqual(draw(balancedSampler(members, {seed: 2}), 90));
    const drawn = draw(balancedSampler(members, {seed: 1}), 30 * 80);
    const cycle = (n: number): readonly number[] => drawn.slice(30 * n, 30 * n + 30).map(classOf);
    expect(cycle(0)).not.toEqual(cycle(1));
    const own = drawn.filter((row) => classOf(row) === 4);
    expect(own.slice(0, 40)).not.toEqual(own.slice(40));
    expect(new Set(own.slice(0, 40))).toEqual(new Set(own.slice(40)));
  });

  test('an example of several classes is drawn for each of them', () => {
    const members = membersOf(Int32Array.of(5, 5, 6), Int32Array.of(0, 1, 1), 2);
    const counts = countsOf(draw(balancedSampler(members, {seed: 4}), 40));
    expect([counts.get(5), counts.get(6)]).toEqual([30, 10]);
  });

  test('refuses to sample nothing, and the state of others', () => {
    expect(() => balancedSampler(membersOfSizes([0, 0]), {seed: 1})).toThrow('there are no examples to sample');
    const members = membersOfSizes([2, 3]);
    const state = balancedSampler(members, {seed: 1}).state();
    expect(() => balancedSampler(membersOfSizes([3, 2]), state)).toThrow('a sampler of other examples');
    expect(() => shuffledSampler(members.rows, state)).toThrow('of a balanced sampler, not of a shuffled one');
  });
});

describe('shuffledSampler', () => {
  const rows = Int32Array.from({length: 7}, (_, i) => i * i);

  test('uses every example once a pass and goes on with the next inside a batch', () => {
    const sampler = shuffledSampler(rows, {seed: 5});
    const drawn = [5, 5, 1, 30, 1].flatMap((size) => draw(sampler, size));
    for (let i = 0; i < 42; i += 7) expect(drawn.slice(i, i + 7).toSorted((a, b) => a - b)).toEqual([...rows]);
    expect(drawn.slice(0, 7)).not.toEqual(drawn.slice(7, 14));
    expect(sampler.carried()).toBe(0);
  });

  test('goes on from its state, at every cut', () => {
    const whole = draw(shuffledSampler(rows, {seed: 5}), 40);
    for (let cut = 0; cut <= 40; cut++) {
      const before = shuffledSampler(rows, {seed: 5});
      draw(before, cut);
      expect(draw(shuffledSampler(rows, before.state()), 40 - cut)).toEqual(whole.slice(cut));
    }
  });

  test('refuses to sample nothing', () => {
    expect(() => shuffledSampler(new Int32Array(0), {seed: 1})).toThrow('there are no examples to sample');
  });
});

test.each([
  '',
  '[]',
  'null',
  '{}',
  '{"type":"sampler/2","order":"balanced","seed":1,"drawn":0,"examples":""}',
  '{"type":"sampler/1","order":"other","seed":1,"drawn":0,"examples":""}',
  '{"type":"sampler/1","order":"balanced","seed":-1,"drawn":0,"examples":""}',
  '{"type":"sampler/1","order":"balanced","seed":1,"drawn":0.5,"examples":""}',
  '{"type":"sampler/1","order":"balanced","seed":1,"drawn":0}',
])('%j is no state', (text) => {
  expect(() => parseSamplerState(text)).toThrow('the state is not one of a sampler');
});
