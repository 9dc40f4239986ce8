/** Settings of Adam; the defaults are those of Keras. */
export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Running averages of a parameter's gradient and of its square; zeros at first. */
export interface AdamState {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

export function adamState(size: number): AdamState {
  return {first: new Float32Array(size), second: new Float32Array(size)};
}

/**
 * One step of Adam on `values`, in place. `step` counts from 1. Source: Kingma and Ba 2015, in the form in which the bias
 * correction is part of the step size and epsilon is added to the uncorrected root (Keras, TensorFlow).
 */
export function adamStep(
  values: Float32Array,
  gradient: Float32Array,
  {first, second}: AdamState,
  step: number,
  {learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7}: AdamSettings,
): void {
  const rate = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i] as number;
    const m = beta1 * (first[i] as number) + (1 - beta1) * g;
    const v = beta2 * (second[i] as number) + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    values[i] = (values[i] as number) - (rate * m) / (Math.sqrt(v) + epsilon);
  }
}
