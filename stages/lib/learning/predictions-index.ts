import {writeFileSync} from 'node:fs';

/** Clips of the two arrays of predictions that a training writes, in the order of their rows. */
export interface PredictedClips {
  readonly predictions: readonly string[];
  readonly validation: readonly string[];
}

/** Writes what the axes of the two arrays mean: a predictions/1 index, which `readAxes` reads. */
export function writePredictionsIndex(
  path: string,
  classes: readonly string[],
  {predictions, validation}: PredictedClips,
): void {
  const described = (clips: readonly string[]): object => ({
    dtype: 'float32',
    shape: [clips.length, classes.length],
    unit: 'probability',
    clips,
  });
  const index = {
    type: 'predictions/1',
    axes: ['clip', 'class'],
    classes,
    predictions: described(predictions),
    validation: described(validation),
  };
  writeFileSync(path, `${JSON.stringify(index)}\n`);
}
