import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {readSafeTensors} from '../../../stages/lib/formats/safetensors.ts';
import importWeights from '../../../stages/import-weights.ts';
import {sharedData} from '../../support/shared-data.ts';
import {runStage} from '../../support/stage-harness.ts';

const yamnet = sharedData('yamnet');

describe('YAMNet', () => {
  test.skipIf(yamnet === undefined)('the manifest of real weights', async () => {
    const folder = yamnet ?? '';
    const {outputs, metrics} = await runStage(importWeights, {params: {model: 'yamnet'}, inputs: {files: folder}});
    expect(metrics).toEqual({parameters: 3_729_481, leftOver: 0});
    const {tensors} = readSafeTensors(outputs.weights);
    const values = readFileSync(join(folder, 'yamnet_weights_f32.bin'));
    expect(tensors.get('layer2/weights')?.shape).toEqual([3, 3, 32, 1]);
    expect(tensors.get('layer2/weights')?.data[5]).toBe(values.readFloatLE(1280 + 20));
    expect(tensors.get('layer28/biases')?.data[520]).toBe(values.readFloatLE(values.length - 4));
  });
});
