import {expect, test} from 'vitest';
import type {PlannedNode} from '../../../src/core/plan.ts';
import type {EngineName} from '../../../src/core/tensor-engine.ts';
import {engineLine, speedText, versionsText} from '../../../src/report/engine-text.ts';
import {node} from '../../support/engine-rig.ts';

function planned(engine: EngineName | undefined, cpu = 1): Pick<PlannedNode, 'engine' | 'node'> {
  const resources = {cpu, gpu: 0, whenNoGpu: 'cpu'} as const;
  return {node: node('a', [], {resources}), ...(engine === undefined ? {} : {engine})};
}

test('engines are told with their threads, and with their nodes when there are several', () => {
  expect(engineLine([])).toBeUndefined();
  expect(engineLine([planned(undefined)])).toBeUndefined();
  expect(engineLine([planned('wasm'), planned(undefined)])).toBe('engine wasm, 1 thread a node');
  expect(engineLine([planned('wasm', 2.5), planned('wasm', 2)])).toBe('engine wasm, 2 threads a node');
  expect(engineLine([planned('onnx-blas', 0.5), planned('onnx-blas', 4)])).toBe(
    'engine onnx-blas, 1 to 4 threads a node',
  );
  expect(engineLine([planned('webgpu'), planned('cpu'), planned('webgpu')])).toBe(
    'engines webgpu for 2 nodes, 1 thread a node; cpu for 1 node, 1 thread a node',
  );
});

test('speeds and versions', () => {
  expect(speedText(1.26)).toBe('1.3 GFLOP/s');
  expect(speedText(134.9)).toBe('135 GFLOP/s');
  expect(versionsText({a: '1', b: '2'})).toBe('a 1, b 2');
});
