import {StageError} from 'mixdown/stage';
import {importOrExplain} from './import-or-explain.ts';
import type {Tf} from './tf.ts';

const HINT = 'npm install webgpu @tensorflow/tfjs-backend-webgpu@4.22.0';

/**
 * WebGPU without a browser: Dawn (package `webgpu`) on whatever GPU has a Vulkan, Metal or Direct3D 12 driver. The device is
 * asked for here, not by the library, whose own request fails with a TypeError where there is none.
 */
export async function startWebGpu(tf: Tf): Promise<void> {
  const {create, globals} = await importOrExplain('webgpu', () => import('webgpu'), HINT);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({powerPreference: 'high-performance'});
  if (adapter === null) {
    throw new StageError('WebGPU finds no graphics adapter', 'it needs a driver for Vulkan, Metal or Direct3D 12');
  }
  // The library looks for what a browser has. Node's own `navigator`, from Node 21, is a getter.
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', {value: {gpu}, configurable: true, writable: true});
  const {WebGPUBackend} = await importOrExplain(
    '@tensorflow/tfjs-backend-webgpu',
    () => import('@tensorflow/tfjs-backend-webgpu'),
    HINT,
  );
  const device = await adapter.requestDevice({requiredLimits: limitsOf(adapter)});
  // The one that the package registers asks for a device of its own.
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
  if (!(await tf.setBackend('webgpu'))) throw new StageError('the WebGPU tensor engine did not start');
}

/** All that the adapter has, of what large tensors need. */
function limitsOf({limits}: GPUAdapter): Record<string, number> {
  return {
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
  };
}
