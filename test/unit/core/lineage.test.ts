import {beforeEach, describe, expect, test} from 'vitest';
import {
  fingerprintOf,
  sliceAction,
  type Action,
  type ActionResult,
  type SliceManifest,
} from '../../../src/core/action.ts';
import {digestOf, type Digest, type Sha256} from '../../../src/core/digest.ts';
import {
  fromSources,
  lineageTracer,
  type KnownSource,
  type LineageBooks,
  type Producer,
} from '../../../src/core/lineage.ts';
import type {ArtifactRef, PipelineNode} from '../../../src/core/pipeline.ts';
import {makeTree, type Tree} from '../../../src/core/tree.ts';
import {eachNode, node} from '../../support/engine-rig.ts';

/** Books that a test fills by hand. */
class Ledger implements LineageBooks {
  readonly results = new Map<Sha256, ActionResult>();
  readonly made: Producer[] = [];
  readonly trees = new Map<Sha256, Tree>();
  readonly manifests = new Map<Sha256, SliceManifest>();
  readonly nodes = new Map<string, PipelineNode>();
  sources: readonly KnownSource[] = [];

  result = (fingerprint: Sha256): ActionResult | undefined => this.results.get(fingerprint);
  producers = (hash: Sha256): readonly Producer[] => this.made.filter(({artifact}) => artifact.digest.hash === hash);
  tree = (hash: Sha256): Tree | undefined => this.trees.get(hash);
  slices = (hash: Sha256): SliceManifest | undefined => this.manifests.get(hash);
  node = (id: string): PipelineNode | undefined => this.nodes.get(id);

  folder(files: Readonly<Record<string, string>>): Digest {
    const {artifact, tree} = makeTree(Object.entries(files).map(([path, text]) => ({path, digest: digestOf(text)})));
    this.trees.set(artifact.digest.hash, tree);
    return artifact.digest;
  }

  source(name: string, files: Readonly<Record<string, string>>): void {
    const {artifact, tree} = makeTree(Object.entries(files).map(([path, text]) => ({path, digest: digestOf(text)})));
    this.sources = [
      ...this.sources.filter((each) => each.name !== name),
      {name, path: `data/${name}`, now: {artifact, tree, path: `/${name}`}},
    ];
  }

  /** Records that the node made the file. */
  make(made: PipelineNode, inputs: Action['inputs'], output: Digest): Producer {
    const fingerprint = this.record({...actionOf(made), inputs}, output);
    const producer: Producer = {
      fingerprint,
      node: made.id,
      output: 'out',
      artifact: {kind: 'file', digest: output},
      age: 'current',
    };
    this.nodes.set(made.id, made);
    this.made.push(producer);
    return producer;
  }

  /** Records that an `each` node made one text of each item of its collection. */
  slice(made: PipelineNode, collection: Digest, textOf: (item: string) => string): Producer {
    const port = made.each![0].port;
    const template: Action = {...actionOf(made), inputs: {[port]: collection}, each: port};
    const slices = this.trees.get(collection.hash)!.entries.map(({path, digest}) => {
      const key = path.replace(/\.\w+$/, '');
      const out = digestOf(textOf(key));
      return {
        key,
        item: digest,
        fingerprint: this.record(sliceAction(template, [digest], 0), out),
        outputs: {out},
        wallMs: 1,
      };
    });
    const list = digestOf(JSON.stringify(slices));
    this.manifests.set(list.hash, {type: 'slices/1', slices});
    const tree = this.folder(Object.fromEntries(slices.map(({key}) => [`${key}.txt`, textOf(key)])));
    const fingerprint = this.record(template, tree, list);
    const artifact = {kind: 'tree', digest: tree, files: slices.length, bytes: 0} as const;
    const producer: Producer = {fingerprint, node: made.id, output: 'out', artifact, age: 'current'};
    this.nodes.set(made.id, made);
    this.made.push(producer);
    return producer;
  }

  record(action: Action, out: Digest, slices?: Digest): Sha256 {
    const fingerprint = fingerprintOf(action);
    this.results.set(fingerprint, {
      type: 'action-result/1',
      fingerprint,
      action,
      outputs: {out: {kind: 'file', digest: out}},
      metrics: {},
      execution: {runId: 'r', startedAt: 1, wallMs: 1, cpuMs: 1, maxRssBytes: 1, device: 'cpu', host: 'h'},
      ...(slices ? {slices} : {}),
    });
    return fingerprint;
  }
}

function actionOf({id, stage, params}: PipelineNode): Action {
  return {
    type: 'action/1',
    stage,
    code: digestOf(stage).hash,
    params: {...params, id},
    seed: 0,
    inputs: {},
    outputs: {out: {kind: 'file', name: 'out.txt'}},
    toolchain: {},
    salt: '',
  };
}

const sourceRef = (source: string): ArtifactRef => ({from: 'source', source});
const nodeRef = (id: string): ArtifactRef => ({from: 'node', node: id, output: 'out'});

let books: Ledger;
beforeEach(() => {
  books = new Ledger();
});

describe('the way back from a result', () => {
  test('leads over the nodes to the sources, each step once and before what it was made from', () => {
    books.source('notes', {'a.txt': 'a'});
    const notes = books.sources[0]!.now!.artifact.digest;
    const [x, y, z] = [digestOf('x'), digestOf('y'), digestOf('z')];
    books.make({...node('x', []), inputs: {in0: {many: false, ref: sourceRef('notes')}}}, {in0: notes}, x);
    books.make(node('y', ['x']), {in0: x}, y);
    const last = books.make(node('z', ['x', 'y']), {in0: x, in1: y}, z);
    const tracer = lineageTracer(books);
    expect(tracer.trace(last)).toEqual({
      from: 'node',
      step: last.fingerprint,
      node: 'z',
      output: 'out',
      age: 'current',
    });
    expect(tracer.steps.map((step) => step.node)).toEqual(['z', 'x', 'y']);
    expect(tracer.steps[1]?.inputs).toEqual([
      {port: 'in0', digest: notes, from: 'source', source: 'notes', path: 'data/notes'},
    ]);
  });

  test('of several variants with the same bytes it takes the one that the port names', () => {
    const same = digestOf('same');
    for (const id of ['v[n=1]', 'v[n=2]', 'v[n=3]']) books.make(node(id, []), {}, same);
    const refs = ['v[n=2]', 'v[n=3]'].map(nodeRef);
    const all = books.make(
      {...node('all', []), inputs: {parts: {many: true, refs}}},
      {parts: [same, same]},
      digestOf('all'),
    );
    const tracer = lineageTracer(books);
    tracer.trace(all);
    expect(tracer.steps.map((step) => step.node)).toEqual(['all', 'v[n=2]', 'v[n=3]']);
  });

  test('one item of a sliced node leads to its slice, and to the item of the source', () => {
    books.source('notes', {'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'b'});
    const first = books.slice(
      eachNode('first', '@notes'),
      books.folder({'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'b'}),
      () => 'x',
    );
    const second = books.slice(eachNode('second', 'first'), first.artifact.digest, (key) => `second ${key}`);
    const tracer = lineageTracer(books);
    expect(tracer.trace(second, 'c.txt')).toMatchObject({entry: 'c.txt', node: 'second'});
    expect(tracer.steps.map((step) => [step.node, step.slice])).toEqual([
      ['second', 'c'],
      ['first', 'c'],
    ]);
    expect(tracer.steps[1]?.inputs).toMatchObject([
      {from: 'source', source: 'notes', entry: 'c.txt', digest: digestOf('b')},
    ]);
  });

  test('what was copied unchanged is followed without going round', () => {
    const same = digestOf('same');
    // The later one is found first, as in a list with the newest on top.
    const second = books.make(node('second', ['first']), {in0: same}, same);
    books.make(node('first', []), {}, same);
    const ids = (): unknown => {
      const tracer = lineageTracer(books);
      tracer.trace(second);
      return tracer.steps.map(({node: id}) => id);
    };
    expect(ids()).toEqual(['second', 'first']);
    books.nodes.clear();
    expect(ids()).toEqual(['second', 'first']);
  });

  test('a sliced node as a whole stands for its slices', () => {
    const letters = books.slice(
      eachNode('letters', '@notes'),
      books.folder({'a.txt': 'a', 'b.txt': 'b'}),
      (key) => key,
    );
    const tracer = lineageTracer(books);
    tracer.trace(letters);
    expect(tracer.steps).toMatchObject([{node: 'letters', slices: 2}]);
  });
});

describe('what is no longer as it was', () => {
  test('a source with other bytes now is marked, and so is just the file of it that has changed', () => {
    const before = books.folder({'a.txt': 'a', 'b.txt': 'b'});
    const letters = books.slice(eachNode('letters', '@notes'), before, (key) => key);
    books.source('notes', {'a.txt': 'other', 'b.txt': 'b'});
    const inputsOf = (entry?: string): unknown => {
      const tracer = lineageTracer(books);
      tracer.trace(letters, entry);
      return tracer.steps[0]?.inputs[0];
    };
    expect(inputsOf()).toMatchObject({from: 'source', source: 'notes', changed: true, digest: before});
    expect(inputsOf('a.txt')).toMatchObject({from: 'source', entry: 'a.txt', changed: true});
    expect(inputsOf('b.txt')).toEqual(expect.not.objectContaining({changed: true}));
  });

  test('bytes of nothing on record are unknown, and a record that is gone ends the way', () => {
    const b = books.make(node('b', ['a']), {in0: digestOf('a')}, digestOf('b'));
    const tracer = lineageTracer(books);
    tracer.trace(b);
    expect(tracer.steps[0]?.inputs).toEqual([{port: 'in0', digest: digestOf('a'), from: 'unknown'}]);
    books.results.clear();
    const again = lineageTracer(books);
    again.trace(b);
    expect(again.steps).toEqual([{id: b.fingerprint, node: 'b', inputs: []}]);
  });

  test('a node that the pipeline no longer has is followed by bytes alone, into folders of sources too', () => {
    books.source('notes', {'a.txt': 'a'});
    const a = books.make(node('a', []), {in0: digestOf('a')}, digestOf('made'));
    books.nodes.clear();
    const tracer = lineageTracer(books);
    tracer.trace(a);
    expect(tracer.steps[0]?.inputs).toMatchObject([{from: 'source', source: 'notes', entry: 'a.txt'}]);
  });
});

test('a file may be of several sources', () => {
  books.source('notes', {'a.txt': 'a', 'b.txt': 'a'});
  books.source('more', {'c.txt': 'a'});
  expect(fromSources(books, digestOf('a').hash)).toEqual([
    {from: 'source', source: 'notes', path: 'data/notes', entry: 'a.txt'},
    {from: 'source', source: 'notes', path: 'data/notes', entry: 'b.txt'},
    {from: 'source', source: 'more', path: 'data/more', entry: 'c.txt'},
  ]);
  expect(fromSources(books, books.sources[1]!.now!.artifact.digest.hash)).toEqual([
    {from: 'source', source: 'more', path: 'data/more'},
  ]);
});
