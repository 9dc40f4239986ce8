import {encodeNpy} from '../../stages/lib/formats/npy.ts';
import {createRng} from '../../stages/lib/rng.ts';

export interface ToyOptions {
  readonly classes: number;
  /** Clips of each class; the last of every `folds + 1` is a test clip. */
  readonly clipsPerClass: number;
  readonly folds: number;
  /** Vectors per piece. */
  readonly length: number;
  /** Pieces per clip. */
  readonly pieces?: number;
  readonly seed?: number;
}

/** Input files of stage train with classes that can be told apart: each raises its own values, under noise. */
export function toyTrainingFiles(options: ToyOptions): {features: {content: Uint8Array}; rows: {content: string}} {
  const {classes, clipsPerClass, folds, length, pieces = 1, seed = 1} = options;
  const rng = createRng(seed);
  const lines = ['row,key,piece,class,split,fold,parent,label'];
  const values: number[] = [];
  for (let clip = 0; clip < classes * clipsPerClass; clip++) {
    const own = clip % classes;
    const place = Math.floor(clip / classes) % (folds + 1);
    const split = place === folds ? 'test,0' : `train,${place + 1}`;
    for (let piece = 0; piece < pieces; piece++) {
      lines.push(`${lines.length - 1},k${String(clip).padStart(4, '0')},${piece},${own},${split},,c${own}`);
      for (let t = 0; t < length; t++) {
        for (let k = 0; k < 128; k++) {
          const value = 127 + 45 * rng.normal() + (k % classes === own ? 30 : 0);
          values.push(Math.min(255, Math.max(0, Math.floor(value))));
        }
      }
    }
  }
  const shape = [lines.length - 1, length, 128];
  return {
    features: {content: encodeNpy({shape, data: Uint8Array.from(values)})},
    rows: {content: `${lines.join('\n')}\n`},
  };
}
