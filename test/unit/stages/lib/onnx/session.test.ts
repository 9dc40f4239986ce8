import {writeFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import {expect, test} from 'vitest';
import {encodeModel} from '../../../../../stages/lib/onnx/encode.ts';
import {openSession} from '../../../../../stages/lib/onnx/session.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const bytes = encodeModel({
  inputs: [{name: 'x', shape: ['batch', 2]}],
  outputs: [{name: 'y', shape: ['batch', 1]}],
  nodes: [{op: 'MatMul', inputs: ['x', 'w'], outputs: ['y']}],
  initialisers: new Map([['w', {shape: [2, 1], data: Float32Array.of(10, 1)}]]),
});
const x = {shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6)};
const y = {shape: [3, 1], data: Float32Array.of(12, 34, 56)};

test('a model runs from its bytes and from its file, two at a time', async () => {
  const path = `${temporaryFolder()}/model.onnx`;
  writeFileSync(path, bytes);
  const sessions = await Promise.all([openSession(bytes, 1), openSession(path, 2)]);
  for (const session of sessions) {
    expect([session.inputs, session.outputs]).toEqual([['x'], ['y']]);
    expect(await session.run({x})).toEqual({y});
  }
  await sessions[0].release();
  expect(await sessions[1].run({x})).toEqual({y});
  await sessions[1].release();
});

test('bytes that lie within a larger buffer are read where they are', async () => {
  const larger = new Uint8Array(bytes.length + 7);
  larger.set(bytes, 5);
  const session = await openSession(larger.subarray(5, 5 + bytes.length), 1);
  expect(await session.run({x})).toEqual({y});
  await session.release();
});

test('what onnxruntime refuses is an expected failure with its words', async () => {
  const session = await openSession(bytes, 1);
  await expect(session.run({z: x})).rejects.toThrow(StageError);
  await expect(session.run({x: {shape: [2, 3], data: x.data}})).rejects.toThrow(
    'onnxruntime could not run the model: ',
  );
  expect(await session.run({x})).toEqual({y});
  await session.release();
  await expect(openSession(bytes.subarray(0, 40), 1)).rejects.toThrow('onnxruntime does not take the model: ');
  await expect(openSession(`${temporaryFolder()}/absent.onnx`, 1)).rejects.toThrow(StageError);
});
