import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {SliceManifest} from '../../src/core/action.ts';
import {digestOf, sha256, type Digest} from '../../src/core/digest.ts';
import type {PipelineNode} from '../../src/core/pipeline.ts';
import {parseTree} from '../../src/core/tree.ts';
import type {BuildSummary} from '../../src/engine/run-context.ts';
import {eachNode, EngineRig, node, type FakeJob, type Made} from '../support/engine-rig.ts';
import {memoryState} from '../support/memory-store.ts';

const optional = {out: {kind: 'file', name: 'out.txt', optional: true}} as const;
const folder = {out: {kind: 'tree', name: 'out'}} as const;

/** Paths and texts of a node's tree. */
function files(rig: EngineRig, summary: BuildSummary, id: string, output = 'out'): Record<string, string> {
  const artifact = summary.nodes.get(id)?.outputs?.[output];
  if (!artifact) throw new Error(`${id} has no ${output}`);
  const {entries} = parseTree(blob(rig, artifact.digest))!;
  return Object.fromEntries(entries.map(({path, digest}) => [path, blob(rig, digest)]));
}

function blob(rig: EngineRig, digest: Digest): string {
  return new TextDecoder().decode(rig.store.files.get(rig.store.cas.pathOf(digest)));
}

function manifestOf(rig: EngineRig, id: string): SliceManifest {
  return JSON.parse(blob(rig, rig.state.get(id)!.slices!)) as SliceManifest;
}

/** A stage whose outputs are all the same text. */
const joinTexts = (job: FakeJob): string => job.texts.join('+');

describe('joined collections', () => {
  /** Three lists lead, four clips follow. */
  function joined(): EngineRig {
    const rig = new EngineRig();
    for (const name of ['a', 'b', 'c']) rig.write(`lists/${name}.json`, `list ${name}`);
    for (const name of ['a', 'b', 'c', 'd']) rig.write(`clips/${name}.wav`, `clip ${name}`);
    rig.nodes = [eachNode('pairs', ['@lists', '@clips']), node('sum', ['pairs'])];
    rig.work = joinTexts;
    return rig;
  }

  it('make one slice of each item of the first with its partners', async () => {
    const rig = joined();
    const summary = await rig.build();
    expect(rig.ran.slice().sort()).toEqual(['pairs/a', 'pairs/b', 'pairs/c', 'sum']);
    expect(files(rig, summary, 'pairs')).toEqual({
      'a.txt': 'list a+clip a',
      'b.txt': 'list b+clip b',
      'c.txt': 'list c+clip c',
    });
    await rig.build();
    expect(rig.ran).toEqual([]);
  });

  it.each([
    ['lists/b.json', ['pairs/b', 'sum']],
    ['clips/b.wav', ['pairs/b', 'sum']],
    ['clips/d.wav', []],
    ['clips/e.wav', []],
  ])('run for a changed %s only %j', async (path, ran) => {
    const rig = joined();
    await rig.build();
    rig.write(path, 'another');
    const summary = await rig.build();
    expect(rig.ran).toEqual(ran);
    expect(summary.nodes.get('pairs')?.outcome).toBe(ran.length > 0 ? 'executed' : 'cached');
  });

  it('run nothing for items that are gone', async () => {
    const rig = joined();
    await rig.build();
    rig.remove('clips/d.wav');
    await rig.build();
    expect(rig.ran).toEqual([]);
    rig.remove('lists/a.json');
    const summary = await rig.build();
    expect(rig.ran).toEqual(['sum']);
    expect(Object.keys(files(rig, summary, 'pairs'))).toEqual(['b.txt', 'c.txt']);
  });

  it('count as a change when one is added, removed, or made to lead', async () => {
    const rig = joined();
    rig.nodes = [eachNode('pairs', '@lists')];
    await rig.build();
    rig.nodes = [eachNode('pairs', ['@lists', '@clips'])];
    await rig.build();
    expect(rig.ran.slice().sort()).toEqual(['pairs/a', 'pairs/b', 'pairs/c']);
    expect(rig.events.find((event) => event.type === 'node-started')).toMatchObject({
      reasons: [
        {kind: 'input-added', input: 'item1'},
        {kind: 'slicing-changed', before: 'item', after: 'item, item1'},
      ],
    });
    // The slices do not know which collection leads.
    rig.remove('clips/d.wav');
    const [leading, other] = rig.nodes[0]!.each!;
    rig.nodes = [{...rig.nodes[0]!, each: [other!, leading]}];
    const turned = await rig.build();
    expect(rig.ran).toEqual([]);
    expect(turned.nodes.get('pairs')?.outcome).toBe('cached');
    rig.nodes = [eachNode('pairs', '@lists')];
    await rig.build();
    expect(rig.ran).toEqual([]);
  });

  it('wait for all of them, and join again what became of them', async () => {
    const rig = joined();
    const waves = eachNode('waves', '@clips', {params: {gain: 1}});
    rig.nodes = [waves, eachNode('pairs', ['@lists', 'waves'])];
    await rig.build();
    rig.nodes = [{...waves, params: {gain: 2}}, rig.nodes[1]!];
    expect(await rig.plan()).toEqual({waves: 'will-run', pairs: 'may-run'});
    const summary = await rig.build();
    expect(rig.ran.every((job) => job.startsWith('waves'))).toBe(true);
    expect(summary.nodes.get('pairs')?.outcome).toBe('up-to-date');
  });

  it('name up to ten items without a partner', async () => {
    const rig = joined();
    for (let count = 10; count < 22; count++) rig.write(`lists/x${count}.json`, 'x');
    const result = await rig.tryBuild();
    expect(result.ok ? [] : result.error).toEqual([
      {
        code: 'item-missing',
        node: 'pairs',
        message:
          'pairs: 12 items of item (lists) have no partner in item1 (clips): ' +
          'x10, x11, x12, x13, x14, x15, x16, x17, x18, x19 and 2 more',
        hint: 'Items are joined by their path without the extension. Make the missing ones, or leave these out of lists.',
      },
    ]);
  });

  it('fail in the run where what is missing shows only then', async () => {
    const rig = joined();
    rig.write('lists/e.json', 'list e');
    rig.nodes = [eachNode('waves', '@clips'), eachNode('pairs', ['@lists', 'waves'])];
    const summary = await rig.build();
    expect(summary.nodes.get('waves')?.outcome).toBe('executed');
    expect(summary.nodes.get('pairs')?.failure).toMatchObject({
      code: 'item-missing',
      message: 'pairs: 1 item of item (lists) has no partner in item1 (waves.out): e',
    });
    // The next plan knows it already.
    expect((await rig.tryBuild()).ok).toBe(false);
  });

  it('leave out what was left out on the way to another, also by way of others', async () => {
    const rig = joined();
    rig.nodes = [
      eachNode('waves', '@clips', {outputs: optional}),
      eachNode('mel', 'waves', {params: {mel: 1}}),
      eachNode('pairs', ['@lists', 'mel']),
      eachNode('triples', ['@lists', 'waves', 'pairs']),
    ];
    rig.work = (job) => (job.node === 'waves' && job.slice === 'b' ? {made: {}} : joinTexts(job));
    const summary = await rig.build();
    expect(Object.keys(files(rig, summary, 'mel'))).toEqual(['a.txt', 'c.txt', 'd.txt']);
    expect(Object.keys(files(rig, summary, 'triples'))).toEqual(['a.txt', 'c.txt']);
    expect(summary.nodes.get('waves')?.slices).toEqual({total: 4, executed: 4, cached: 0, leftOut: 1});
    expect(summary.nodes.get('pairs')?.slices).toEqual({total: 2, executed: 2, cached: 0, unmatched: 1});
    await rig.build();
    expect(rig.ran).toEqual([]);
    // Made again, it comes back everywhere, and nothing else runs.
    rig.work = joinTexts;
    rig.write('clips/b.wav', 'clip b, mended');
    await rig.build();
    expect(rig.ran).toEqual(['waves/b', 'mel/b', 'pairs/b', 'triples/b']);
  });

  it('miss an item that was never on the way to a collection from which others were left out', async () => {
    const rig = joined();
    rig.remove('clips/b.wav');
    rig.nodes = [eachNode('waves', '@clips', {outputs: optional}), eachNode('pairs', ['@lists', 'waves'])];
    rig.work = (job) => (job.slice === 'a' ? {made: {}} : joinTexts(job));
    const summary = await rig.build();
    expect(summary.nodes.get('pairs')?.failure?.message).toBe(
      'pairs: 1 item of item (lists) has no partner in item1 (waves.out): b',
    );
  });

  it('miss an item of a tree that no slices made', async () => {
    const rig = joined();
    rig.nodes = [node('made', ['@lists'], {outputs: folder}), eachNode('pairs', ['@lists', 'made'])];
    rig.work = (job) => (job.node === 'made' ? {made: {out: {'a.txt': '', 'c.txt': ''}}} : joinTexts(job));
    const summary = await rig.build();
    expect(summary.nodes.get('pairs')?.failure?.message).toBe(
      'pairs: 1 item of item (lists) has no partner in item1 (made.out): b',
    );
  });

  it('know the items that were left out by the folders of what would have been made of them', async () => {
    const rig = new EngineRig();
    for (const key of ['a', 'b']) {
      rig.write(`lists/${key}.json`, key);
      rig.write(`clips/${key}.wav`, key);
      for (const copy of ['up', 'down']) rig.write(`marks/${key}/${copy}.txt`, `${key}/${copy}`);
    }
    const made = {up: 'up', down: 'down'};
    rig.nodes = [
      eachNode('waves', '@clips', {outputs: optional}),
      eachNode('copies', ['@lists', 'waves'], {outputs: folder}),
      eachNode('mel', 'copies'),
      eachNode('marked', ['@marks', 'mel']),
    ];
    rig.work = (job) => {
      if (job.node === 'waves') return job.slice === 'b' ? {made: {}} : 'wave';
      return job.node === 'copies' ? {made: {out: made}} : joinTexts(job);
    };
    const summary = await rig.build();
    expect(Object.keys(files(rig, summary, 'marked'))).toEqual(['a/down.txt', 'a/up.txt']);
    // A file that the slice of an item did not make is missing, not left out.
    rig.write('marks/a/left.txt', 'a/left');
    const result = await rig.tryBuild();
    expect(result.ok ? '' : result.error[0]!.message).toBe(
      'marked: 1 item of item (marks) has no partner in item1 (mel.out): a/left',
    );
  });

  it.each([
    ['a source', '@clips'],
    ['what another node works on as well', 'waves'],
  ])('fail when an item of %s moves while its slice runs', async (_, other) => {
    const rig = joined();
    rig.nodes = [eachNode('waves', '@clips'), eachNode('pairs', ['@lists', other])];
    rig.work = (job) => (job.node === 'waves' ? `wave of ${joinTexts(job)}` : joinTexts(job));
    const wave = rig.store.cas.pathOf(digestOf('wave of clip b'));
    rig.before = (job) => {
      if (job.node !== 'pairs' || job.slice !== 'b') return;
      if (other === '@clips') rig.write('clips/b.wav', 'another');
      else rig.store.files.set(wave, new TextEncoder().encode('another'));
    };
    const summary = await rig.build();
    expect(summary.nodes.get('pairs')?.failure).toMatchObject({
      code: 'input-changed',
      message: expect.stringMatching(/^slice b: /) as string,
    });
  });

  it('are made once by two runs whose collections overlap', async () => {
    const rig = joined();
    const second = new EngineRig(rig.store);
    for (const name of ['b', 'c', 'd']) second.write(`lists/${name}.json`, `list ${name}`);
    for (const name of ['b', 'c', 'd']) second.write(`clips/${name}.wav`, `clip ${name}`);
    second.nodes = rig.nodes;
    second.work = joinTexts;
    for (const each of [rig, second]) each.before = () => new Promise((resolve) => setImmediate(resolve));
    await Promise.all([rig.build(), second.build()]);
    const slices = [...rig.ran, ...second.ran].filter((job) => job.startsWith('pairs'));
    expect(slices.sort()).toEqual(['pairs/a', 'pairs/b', 'pairs/c', 'pairs/d']);
  });

  it('are listed in the key, and one alone by its name', async () => {
    const rig = joined();
    rig.nodes = [eachNode('pairs', ['@lists', '@clips']), eachNode('waves', '@clips')];
    await rig.build();
    const slicing = (id: string) => rig.store.records.get(rig.state.get(id)!.fingerprint)!.action.each;
    expect(slicing('pairs')).toEqual(['item', 'item1']);
    expect(slicing('waves')).toBe('item');
  });

  it('miss what another collection has no excuse for', async () => {
    const rig = joined();
    rig.write('texts/a.txt', 'text');
    rig.write('texts/b.txt', 'text');
    rig.nodes = [eachNode('waves', '@clips', {outputs: optional}), eachNode('triples', ['@lists', 'waves', '@texts'])];
    const summary = await rig.build();
    expect(summary.nodes.get('triples')?.failure?.message).toContain('has no partner in item2 (texts): c');
  });
});

describe('an optional output', () => {
  function skipping(): EngineRig {
    const rig = new EngineRig();
    for (const name of ['a', 'b', 'c']) rig.write(`clips/${name}.wav`, `clip ${name}`);
    const outputs = {...optional, report: {kind: 'file', name: 'report.json'}} as const;
    rig.nodes = [eachNode('waves', '@clips', {outputs}), node('sum', ['waves'])];
    rig.work = (job) => {
      const text = joinTexts(job);
      if (job.node === 'sum') return text;
      return {made: {...(text.includes('bad') ? {} : {out: text}), report: `report of ${text}`}};
    };
    rig.write('clips/b.wav', 'bad clip');
    return rig;
  }

  it('that a slice left unwritten leaves its item out of that tree alone', async () => {
    const rig = skipping();
    const summary = await rig.build();
    expect(Object.keys(files(rig, summary, 'waves'))).toEqual(['a.txt', 'c.txt']);
    expect(Object.keys(files(rig, summary, 'waves', 'report'))).toEqual(['a.json', 'b.json', 'c.json']);
    const told = rig.events.flatMap((event) => (event.type === 'slice-finished' ? [[event.key, event.absent]] : []));
    expect(told).toContainEqual(['b', ['out']]);
    expect(told).toContainEqual(['a', undefined]);
    expect(summary.nodes.get('waves')?.slices?.leftOut).toBe(1);
  });

  it('is remembered as left unwritten', async () => {
    const rig = skipping();
    await rig.build();
    await rig.build();
    expect(rig.ran).toEqual([]);
    rig.state = memoryState();
    await rig.build();
    expect(rig.ran).toEqual([]);
    rig.state = memoryState();
    rig.write('clips/d.wav', 'clip d');
    const summary = await rig.build();
    expect(rig.ran).toEqual(['waves/d', 'sum']);
    expect(summary.nodes.get('waves')?.slices).toEqual({total: 4, executed: 1, cached: 3, leftOut: 1});
  });

  it('counts as a change of the declaration', async () => {
    const rig = skipping();
    await rig.build();
    const {outputs, ...waves} = rig.nodes[0]!;
    rig.nodes = [{...waves, outputs: {...outputs, out: {kind: 'file', name: 'out.txt'}}}];
    rig.work = joinTexts;
    await rig.build();
    expect(rig.ran).toHaveLength(3);
  });

  it('is not taken for one that a damaged record lacks', async () => {
    const rig = skipping();
    await rig.build();
    const {fingerprint} = manifestOf(rig, 'waves').slices.find(({key}) => key === 'a')!;
    const record = rig.store.records.get(fingerprint)!;
    const {report: _, ...rest} = record.outputs;
    rig.store.records.set(fingerprint, {...record, outputs: rest});
    rig.state = memoryState();
    rig.write('clips/c.wav', 'clip c again');
    await rig.build();
    expect(rig.ran.slice().sort()).toEqual(['sum', 'waves/a', 'waves/c']);
  });
});

describe('trees of slices', () => {
  /** Each list names the files to make: `x=text y/z=text`. */
  function copying(lists: Readonly<Record<string, string>>): EngineRig {
    const rig = new EngineRig();
    for (const [key, text] of Object.entries(lists)) rig.write(`lists/${key}.txt`, text);
    rig.nodes = [eachNode('copies', '@lists', {outputs: folder}), eachNode('mel', 'copies'), node('sum', ['mel'])];
    rig.work = (job) => (job.node === 'copies' ? made(job.texts[0] ?? '') : joinTexts(job));
    return rig;
  }
  const made = (text: string): Made => {
    const entries = text.split(' ').filter((part) => part !== '');
    return {made: {out: Object.fromEntries(entries.map((part) => part.split('=') as [string, string]))}};
  };
  const lists = {'Bark/a': 'up.wav=1 deep/down.wav=2', b: '', c: 'up.wav=3'};

  it('lie below the keys of their items, and are items themselves', async () => {
    const rig = copying(lists);
    const summary = await rig.build();
    expect(files(rig, summary, 'copies')).toEqual({
      'Bark/a/deep/down.wav': '2',
      'Bark/a/up.wav': '1',
      'c/up.wav': '3',
    });
    expect(rig.ran.filter((job) => job.startsWith('mel')).sort()).toEqual([
      'mel/Bark/a/deep/down',
      'mel/Bark/a/up',
      'mel/c/up',
    ]);
    await rig.build();
    expect(rig.ran).toEqual([]);
    rig.state = memoryState();
    await rig.build();
    expect(rig.ran).toEqual([]);
  });

  it('change one by one', async () => {
    const rig = copying(lists);
    await rig.build();
    rig.write('lists/Bark/a.txt', 'up.wav=1 deep/down.wav=4');
    await rig.build();
    expect(rig.ran).toEqual(['copies/Bark/a', 'mel/Bark/a/deep/down', 'sum']);
    rig.remove('lists/c.txt');
    await rig.build();
    expect(rig.ran).toEqual(['sum']);
  });

  it.each(['a file of it', 'its text'])('of which %s is gone are made again, and no other', async (what) => {
    const rig = copying(lists);
    await rig.build();
    const tree = manifestOf(rig, 'copies').slices.find(({key}) => key === 'Bark/a')!.outputs['out']!;
    const [entry] = parseTree(blob(rig, tree))!.entries;
    rig.lose(what === 'its text' ? tree : entry!.digest);
    rig.write('lists/d.txt', 'up.wav=5');
    await rig.build();
    expect(rig.ran.slice().sort()).toEqual(['copies/Bark/a', 'copies/d', 'mel/d/up', 'sum']);
    await rig.build();
    expect(rig.ran).toEqual([]);
  });

  it('are made again when a target lacks a file, and only what lacks it', async () => {
    const rig = copying(lists);
    const first = await rig.build({targets: ['copies']});
    const {entries} = parseTree(blob(rig, first.nodes.get('copies')!.outputs!['out']!.digest))!;
    rig.lose(entries.find(({path}) => path === 'c/up.wav')!.digest);
    await rig.build({targets: ['copies']});
    expect(rig.ran).toEqual(['copies/c']);
  });

  it('that need one path fail and name both slices, in the run and in the next plan', async () => {
    const rig = copying({a: 'b/c.wav=1', 'a/b': 'c.wav=2', z: 'c.wav=3'});
    const message = 'copies: the slices a and a/b both make a/b/c.wav in out';
    const summary = await rig.build();
    expect(summary.nodes.get('copies')?.failure).toMatchObject({code: 'slice-key-collision', message});
    expect(summary.nodes.get('mel')?.outcome).toBe('blocked');
    const again = await rig.tryBuild();
    expect(again.ok ? [] : again.error.map((each) => each.message)).toEqual([message]);
    rig.write('lists/a.txt', 'b=1');
    const below = await rig.build();
    expect(below.nodes.get('copies')?.failure?.message).toBe(
      'copies: slice a makes the file a/b in out, and slice a/b makes a/b/c.wav below it',
    );
  });
});

describe('no slices', () => {
  it('are a result like any other', async () => {
    const rig = new EngineRig();
    rig.write('src', 'text');
    rig.nodes = [
      node('lists', ['@src'], {outputs: folder}),
      eachNode('copies', ['lists', 'lists'], {outputs: folder}),
      eachNode('mel', 'copies'),
      node('sum', ['mel']),
    ];
    rig.work = (job) => (job.node === 'lists' ? {made: {out: {}}} : joinTexts(job));
    const summary = await rig.build();
    expect(summary.outcome).toBe('done');
    expect(rig.ran).toEqual(['lists', 'sum']);
    expect(files(rig, summary, 'mel')).toEqual({});
    expect(summary.nodes.get('mel')).toMatchObject({outcome: 'executed', slices: {total: 0, executed: 0, cached: 0}});
    const again = await rig.build();
    expect([...again.nodes.values()].map(({outcome}) => outcome)).toEqual(Array(4).fill('up-to-date'));
  });
});

describe('slices that fail', () => {
  it('are all named, each with its own message', async () => {
    const rig = new EngineRig();
    for (let count = 10; count < 40; count++) rig.write(`clips/c${count}.wav`, `${count}`);
    rig.nodes = [eachNode('waves', '@clips')];
    rig.onFailure = 'continue';
    rig.work = ({slice = '', texts}) =>
      slice < 'c35' ? {code: 'stage-failed', message: `${texts[0]} is bad\nreally`, hint: `mend ${slice}`} : 'fine';
    const {failure} = (await rig.build()).nodes.get('waves')!;
    const lines = failure!.message.split('\n');
    expect(lines[0]).toBe('25 of 30 slices failed: c10, c11, c12, c13, c14 and 20 more');
    expect(lines.slice(1, 5)).toEqual(['c10: 10 is bad', '  really', 'c11: 11 is bad', '  really']);
    expect(lines).toHaveLength(1 + 20 * 2 + 1);
    expect(lines.at(-1)).toBe('and 5 more');
    expect(failure).toMatchObject({code: 'stage-failed', hint: 'mend c10', node: 'waves'});
  });

  it('do not stop what others made from being kept, whatever kind it is', async () => {
    const rig = new EngineRig();
    for (const name of ['a', 'b', 'c', 'd']) rig.write(`clips/${name}.wav`, `clip ${name}`);
    const outputs = {...optional, tree: {kind: 'tree', name: 'tree'}} as const;
    rig.nodes = [eachNode('waves', '@clips', {outputs})];
    rig.onFailure = 'continue';
    const good: EngineRig['work'] = ({slice, texts}) => ({
      made: {...(slice === 'a' ? {} : {out: 'x'}), tree: {[`${slice}.txt`]: texts[0]!}},
    });
    rig.work = (job) => (job.slice === 'c' ? {code: 'stage-failed', message: 'no luck'} : good(job));
    await rig.build();
    rig.work = good;
    const summary = await rig.build();
    expect(rig.ran).toEqual(['waves/c']);
    expect(Object.keys(files(rig, summary, 'waves', 'tree'))).toEqual(['a/a.txt', 'b/b.txt', 'c/c.txt', 'd/d.txt']);
    expect(Object.keys(files(rig, summary, 'waves'))).toEqual(['b.txt', 'c.txt', 'd.txt']);
  });
});

describe('any two collections', () => {
  const all = ['a', 'b', 'x/a', 'x/b'];
  const collection = fc.dictionary(fc.constantFrom(...all), fc.nat(2), {noNullPrototype: true});
  const step = fc.record({lead: collection, other: collection, forget: fc.boolean()});

  it('run exactly the pairs that never ran, and give what a build from scratch gives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, {minLength: 1, maxLength: 5}), async (steps) => {
        const rig = new EngineRig();
        const outputs = {...optional, tree: {kind: 'tree', name: 'tree'}} as const;
        rig.nodes = [
          node('lead', ['@lead'], {outputs: folder}),
          // It has every item; `other` leaves some out.
          node('whole', ['@other'], {outputs: folder}),
          eachNode('other', 'whole', {outputs: optional}),
          eachNode('pairs', ['lead', 'other'], {outputs}),
        ];
        rig.work = ({node: id, texts}) => {
          if (id === 'lead' || id === 'whole') return {made: {out: JSON.parse(texts[0]!) as Record<string, string>}};
          if (id === 'other') return texts[0]!.endsWith('out') ? {made: {}} : texts[0]!;
          return pair(texts[0]!, texts[1]!);
        };
        const ever = new Set<string>();
        for (const {lead, other, forget} of steps) {
          const rows = (keys: readonly string[], each: Record<string, number>, ending: string): string =>
            JSON.stringify(Object.fromEntries(keys.map((key) => [`${key}.${ending}`, `${key} ${each[key] ?? 'out'}`])));
          rig.write('lead', rows(Object.keys(lead), lead, 'json'));
          rig.write('other', rows(all, other, 'wav'));
          if (forget) rig.state = memoryState();
          const summary = await rig.build();
          expect(summary.outcome).toBe('done');
          const keys = Object.keys(lead).filter((key) => Object.hasOwn(other, key));
          const fresh = keys.filter((key) => !ever.has(`${key} ${lead[key]} ${other[key]}`));
          expect(rig.ran.filter((job) => job.startsWith('pairs')).sort()).toEqual(
            fresh.map((key) => `pairs/${key}`).sort(),
          );
          for (const key of keys) ever.add(`${key} ${lead[key]} ${other[key]}`);
          const trees: Record<string, string> = {};
          const plain: Record<string, string> = {};
          for (const key of keys) {
            const {out, tree} = pair(`${key} ${lead[key]}`, `${key} ${other[key]}`).made;
            if (typeof out === 'string') plain[`${key}.txt`] = out;
            for (const [path, text] of Object.entries(tree ?? {})) trees[`${key}/${path}`] = text;
          }
          expect(files(rig, summary, 'pairs')).toEqual(plain);
          expect(files(rig, summary, 'pairs', 'tree')).toEqual(trees);
        }
      }),
      {numRuns: 60},
    );
  });

  /** As many files as a hash of both says, and often no `out`. */
  function pair(a: string, b: string): {made: {out?: string; tree: Record<string, string>}} {
    const dice = Number.parseInt(sha256(`${a}|${b}`).slice(0, 6), 16);
    const tree = Object.fromEntries(Array.from({length: dice % 3}, (_, index) => [`f${index}.txt`, `${a} ${index}`]));
    return {made: {...(dice % 2 === 0 ? {} : {out: `${a}|${b}`}), tree}};
  }
});

describe('a pipeline with every kind', () => {
  it('goes on where an interrupt left it', async () => {
    const rig = new EngineRig();
    for (const name of ['a', 'b', 'c', 'd']) {
      rig.write(`lists/${name}.txt`, name);
      rig.write(`clips/${name}.wav`, `clip ${name}`);
    }
    const nodes: readonly PipelineNode[] = [
      eachNode('waves', '@clips', {outputs: optional}),
      eachNode('copies', ['@lists', 'waves'], {outputs: folder}),
    ];
    rig.nodes = nodes;
    rig.jobs = 1;
    rig.work = ({node: id, slice, texts}) =>
      id === 'waves' ? (slice === 'b' ? {made: {}} : texts[0]!) : {made: {out: {'x.wav': texts.join()}}};
    const stop = new AbortController();
    rig.before = (job) => {
      if (job.node === 'copies' && job.slice === 'c') stop.abort();
    };
    expect((await rig.build({signal: stop.signal})).outcome).toBe('interrupted');
    rig.before = () => {};
    const summary = await rig.build();
    expect(rig.ran).toEqual(['copies/c', 'copies/d']);
    expect(Object.keys(files(rig, summary, 'copies'))).toEqual(['a/x.wav', 'c/x.wav', 'd/x.wav']);
  });
});
