import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, test} from 'vitest';
import dequantizeStage from '../../../stages/dequantize.ts';
import {encodeNpy, readFloat32, readUint8} from '../../../stages/lib/formats/npy.ts';
import {readNpz} from '../../../stages/lib/formats/npz.ts';
import {projectPca, readPca} from '../../../stages/lib/learning/pca.ts';
import {createRng} from '../../../stages/lib/rng.ts';
import pcaFit from '../../../stages/pca-fit.ts';
import pcaQuantize from '../../../stages/pca-quantize.ts';
import {sharedData} from '../../support/shared-data.ts';
import {runStage} from '../../support/stage-harness.ts';

const folds = {
  content: [
    'key,label,class,verified,split,fold,group,parent',
    'a,Bell,0,1,train,1,,',
    'b,Bell,0,1,train,2,,',
    'c,Cow,1,0,train,1,,',
    'd,Cow,1,1,test,0,,',
    '',
  ].join('\n'),
};

function embeddingsOf(counts: Readonly<Record<string, number>>): {files: Record<string, Uint8Array>} {
  const files: Record<string, Uint8Array> = {};
  for (const [key, count] of Object.entries(counts)) {
    const rng = createRng(key.charCodeAt(0));
    const data = Float32Array.from({length: count * 128}, () => rng.normal());
    files[`${key}.npy`] = encodeNpy({shape: [count, 128], data});
  }
  return {files};
}

describe('pca-fit', () => {
  const embeddings = embeddingsOf({a: 3, b: 5, c: 2, d: 4});

  test('uses the train clips outside the fold only', async () => {
    const fit = (fold: number, tree = embeddings) =>
      runStage(pcaFit, {params: {fold}, inputs: {embeddings: tree, folds}});
    expect((await fit(1)).metrics).toEqual({vectors: 5, components: 4});
    expect((await fit(0)).metrics).toEqual({vectors: 10, components: 9});
    const changed = embeddingsOf({a: 3, b: 5, c: 2, d: 4});
    changed.files['a.npy'] = encodeNpy({shape: [1, 128], data: new Float32Array(128)});
    changed.files['d.npy'] = changed.files['a.npy'];
    const bytes = async (tree: typeof embeddings) => readFileSync((await fit(1, tree)).outputs.pca);
    expect((await bytes(changed)).equals(await bytes(embeddings))).toBe(true);
  });

  test('its output quantises embeddings, with the deviation of a whitened component', async () => {
    const many = embeddingsOf({a: 100, b: 200, c: 100, d: 50});
    const {outputs} = await runStage(pcaFit, {params: {fold: 0}, inputs: {embeddings: many, folds}});
    expect(readPca(outputs.pca).size).toBe(128);
    const quantized = await runStage(pcaQuantize, {
      inputs: {embeddings: {content: many.files['b.npy'] as Uint8Array}, pca: outputs.pca},
    });
    const {shape, data} = readUint8(quantized.outputs.quantized, 2);
    expect(shape).toEqual([200, 128]);
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
    expect(Math.abs(mean - 127)).toBeLessThan(2);
    // 63.75 times the deviation of a standard normal value clipped at 2, which is 0.96.
    expect(Math.abs(deviation - 61)).toBeLessThan(3);
  });

  test('copies are not fitted on, and the file says what it was fitted on', async () => {
    const withCopy = {content: `${folds.content}b/pitch+05,Bell,0,1,train,2,,b\nc/pitch-01,Cow,1,0,train,1,,c\n`};
    const copies = embeddingsOf({a: 3, b: 5, c: 2, d: 4});
    copies.files['b/pitch+05.npy'] = encodeNpy({shape: [1, 128], data: new Float32Array(128).fill(9)});
    const fit = (tree: typeof embeddings, table: typeof folds) =>
      runStage(pcaFit, {params: {fold: 1}, inputs: {embeddings: tree, folds: table}});
    const {outputs} = await fit(copies, withCopy);
    expect(readFileSync(outputs.pca).equals(readFileSync((await fit(embeddings, folds)).outputs.pca))).toBe(true);
    expect(readPca(outputs.pca).origin).toEqual({fold: 1, clips: ['b']});
    const arrays = readNpz(outputs.pca);
    expect(arrays.get('pca_fold')).toEqual({shape: [], data: Int32Array.of(1)});
    expect(Buffer.from(arrays.get('pca_clips')?.data ?? []).toString()).toBe('b\n');
  });

  test('embeddings that are no floats or no numbers are refused by name', async () => {
    const fit = (file: Uint8Array) =>
      runStage(pcaFit, {params: {fold: 1}, inputs: {embeddings: {files: {'b.npy': file}}, folds}});
    await expect(fit(encodeNpy({shape: [1, 2], data: Uint8Array.of(1, 2)}))).rejects.toThrow(
      'the embeddings of clip b are not float32',
    );
    await expect(fit(encodeNpy({shape: [1, 2], data: Float32Array.of(1, Number.NaN)}))).rejects.toThrow(
      'the array of clip b holds what is not a finite number',
    );
  });

  test('a clip without an entry and a fold without training clips are said', async () => {
    const few = embeddingsOf({a: 3, b: 5});
    await expect(runStage(pcaFit, {params: {fold: 0}, inputs: {embeddings: few, folds}})).rejects.toThrow('clip `c`');
    const one = {content: 'key,label,class,verified,split,fold,group,parent\na,Bell,0,1,train,1,,\n'};
    await expect(runStage(pcaFit, {params: {fold: 1}, inputs: {embeddings: few, folds: one}})).rejects.toThrow(
      'no train clip outside fold 1',
    );
  });
});

describe('pca-quantize', () => {
  const golden = JSON.parse(
    readFileSync(new URL('../../golden/learning/released-pca.json', import.meta.url), 'utf8'),
  ) as Readonly<Record<'embeddings' | 'z' | 'quantized' | 'unit' | 'whitened', string>>;
  const released = fileURLToPath(new URL('../../golden/learning/vggish_pca_params.npz', import.meta.url));
  const bytes = (name: keyof typeof golden): Uint8Array => new Uint8Array(Buffer.from(golden[name], 'base64'));
  const floats = (name: keyof typeof golden): Float32Array => new Float32Array(bytes(name).buffer);
  const embeddings = {content: encodeNpy({shape: [12, 128], data: floats('embeddings')})};

  test('with the released parameters, real vectors become the bytes that NumPy makes of them', async () => {
    const {outputs} = await runStage(pcaQuantize, {inputs: {embeddings, pca: released}});
    expect(readUint8(outputs.quantized)).toEqual({shape: [12, 128], data: bytes('quantized')});
    const z = new Float64Array(bytes('z').buffer);
    for (const [i, value] of projectPca(readPca(released), floats('embeddings')).entries()) {
      expect(Math.abs(value - (z[i] as number))).toBeLessThan(1e-12);
    }
    for (const rule of ['unit', 'whitened'] as const) {
      const values = await runStage(dequantizeStage, {params: {rule}, inputs: {quantized: outputs.quantized}});
      expect(readFloat32(values.outputs.vectors)).toEqual({shape: [12, 128], data: floats(rule)});
    }
  });

  test('fewer components are the first ones', async () => {
    const {outputs} = await runStage(pcaQuantize, {params: {components: 5}, inputs: {embeddings, pca: released}});
    const {shape, data} = readUint8(outputs.quantized);
    expect(shape).toEqual([12, 5]);
    expect([...data]).toEqual([...bytes('quantized')].filter((_, i) => i % 128 < 5));
    await expect(
      runStage(pcaQuantize, {params: {components: 129}, inputs: {embeddings, pca: released}}),
    ).rejects.toThrow('129 components are wanted, the PCA parameters have 128');
  });

  test('the parameters of another fold are refused: they have seen its validation clips', async () => {
    const fitted = async (fold: number): Promise<string> =>
      (await runStage(pcaFit, {params: {fold}, inputs: {embeddings: embeddingsOf({a: 3, b: 5, c: 2, d: 4}), folds}}))
        .outputs.pca;
    const run = (fold: number, pca: string) => runStage(pcaQuantize, {params: {fold}, inputs: {embeddings, pca}});
    const [one, all] = [await fitted(1), await fitted(0)];
    await expect(run(2, one)).rejects.toThrow('fitted for fold 1, these embeddings are for fold 2');
    await expect(run(1, all)).rejects.toThrow('fitted for fold 0, these embeddings are for fold 1');
    await run(1, one);
    await run(2, released);
  });

  test('parameters for another size are refused', async () => {
    const other = {content: encodeNpy({shape: [1, 64], data: new Float32Array(64)})};
    await expect(runStage(pcaQuantize, {inputs: {embeddings: other, pca: released}})).rejects.toThrow(
      'the embeddings have 64 values each, the PCA parameters are for 128',
    );
  });
});

const folder = sharedData('fsdkaggle2018-vggish');

describe.skipIf(folder === undefined)('the real vectors of FSDKaggle2018', () => {
  test('taken back to embeddings and quantised again, all 7,497 stay as they are', async () => {
    const path = fileURLToPath(new URL('../../golden/learning/vggish_pca_params.npz', import.meta.url));
    const real = new Uint8Array(readFileSync(`${folder}/embeddings_u8_7497x128.bin`));
    const {rows, means} = readPca(path);
    const invert = inverseOf(rows, 128);
    const table = Float64Array.from({length: 256}, (_, q) => (q * 4) / 255 - 2 + 4 / 512);
    const data = new Float32Array(real.length);
    for (let start = 0; start < real.length; start += 128) {
      for (let i = 0; i < 128; i++) {
        let sum = means[i] as number;
        for (let k = 0; k < 128; k++)
          sum += (invert[i * 128 + k] as number) * (table[real[start + k] as number] as number);
        data[start + i] = sum;
      }
    }
    const {outputs} = await runStage(pcaQuantize, {
      inputs: {embeddings: {content: encodeNpy({shape: [7497, 128], data})}, pca: path},
    });
    expect(Buffer.from(readUint8(outputs.quantized).data).equals(real)).toBe(true);
  });
});

/** By Gauss and Jordan, with pivots. */
function inverseOf(matrix: Float64Array, n: number): Float64Array {
  const rows = Array.from({length: n}, (_, i) => [
    ...matrix.subarray(i * n, (i + 1) * n),
    ...Array.from({length: n}, (__, k) => (k === i ? 1 : 0)),
  ]);
  for (let i = 0; i < n; i++) {
    const largest = rows.slice(i).reduce((a, b) => (Math.abs(b[i] as number) > Math.abs(a[i] as number) ? b : a));
    rows.splice(rows.indexOf(largest), 1);
    const pivot = largest.map((value) => value / (largest[i] as number));
    rows.splice(i, 0, pivot);
    for (const row of rows) {
      const factor = row[i] as number;
      if (row === pivot || factor === 0) continue;
      for (let k = 0; k < 2 * n; k++) row[k] = (row[k] as number) - factor * (pivot[k] as number);
    }
  }
  return Float64Array.from(rows.flatMap((row) => row.slice(n)));
}
