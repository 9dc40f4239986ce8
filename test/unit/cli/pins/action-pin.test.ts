import {describe, expect, test} from 'vitest';
import {pinOfAction} from '../../../../src/cli/pins/action-pin.ts';
import type {Action} from '../../../../src/core/action.ts';
import {digestOf, sha256, type Sha256} from '../../../../src/core/digest.ts';
import {canonicalJson} from '../../../../src/core/json.ts';
import type {Pin} from '../../../../src/core/pins.ts';
import type {CodeManifest} from '../../../../src/core/stage.ts';
import {makeTree} from '../../../../src/core/tree.ts';
import {recipeReasons} from '../../../../src/pins/recipe.ts';

const free: CodeManifest = {type: 'code/1', files: {'stages/a.ts': sha256('a')}, packages: {'ml-matrix': '6.0.0'}};
const onEngine: CodeManifest = {...free, packages: {...free.packages, '@tensorflow/tfjs-backend-cpu': '4.22.0'}};
const codeOf = (manifest: CodeManifest): Sha256 => sha256(canonicalJson({...manifest}));

const [a, b] = [digestOf('a'), digestOf('b')];
const action: Action = {
  type: 'action/1',
  stage: 's',
  code: codeOf(onEngine),
  params: {rate: 1},
  seed: 3,
  inputs: {one: a, list: [a, b]},
  outputs: {out: {kind: 'file', name: 'out'}, folder: {kind: 'tree', name: 'folder'}},
  toolchain: {node: '20', engine: 'cpu'},
  salt: '',
};
const {artifact: folder} = makeTree([{path: 'x', digest: b}]);
const made = {out: {kind: 'file', digest: a}, folder} as const;
const blobs = {
  peek: (hash: Sha256) => (hash === codeOf(onEngine) ? Buffer.from(canonicalJson({...onEngine})) : undefined),
};

const pinned: Pin = {
  stage: 's',
  code: codeOf(free),
  params: {rate: 1},
  seed: 3,
  toolchain: {node: '20', engine: 'wasm'},
  inputs: {one: a.hash, list: {many: 2, hash: sha256(canonicalJson([a.hash, b.hash]))}},
  outputs: {
    out: {kind: 'file', hash: a.hash, size: 1},
    folder: {kind: 'tree', hash: folder.digest.hash, size: 1, files: 1},
  },
  metrics: {},
};

describe('an action in the words of a pin', () => {
  test('is what a lock would pin of it, whatever engine computed it', () => {
    const found = pinOfAction(action, made, blobs);
    expect(found).toEqual({...pinned, toolchain: action.toolchain});
    const outputs = {out: 'file', folder: 'tree'} as const;
    expect(recipeReasons(pinned, {...found!, outputs, waits: new Map(), unseen: new Set()})).toEqual([]);
  });

  test('keeps salt and slicing', () => {
    const plain: Action = {...action, toolchain: {node: '20'}, salt: 'x', each: ['one', 'two']};
    expect(pinOfAction(plain, {}, blobs)).toMatchObject({
      code: action.code,
      salt: 'x',
      each: ['one', 'two'],
      outputs: {},
    });
  });

  test('is not known when its code is gone or damaged', () => {
    expect(pinOfAction(action, made, {peek: () => undefined})).toBeUndefined();
    for (const text of ['{', 'null', '{"type":"code/2"}']) {
      expect(pinOfAction(action, made, {peek: () => Buffer.from(text)})).toBeUndefined();
    }
  });
});
