/** Settings of Adam; the defaults are those of Keras. */
export interface AdamSettings {
  readonly learningRate: number;
  /** 0.9 unless given. */
  readonly beta1?: number;
  /** 0.999 unless given. */
  readonly beta2?: number;
  /** 1e-7 unless given. */
  readonly epsilon?: number;
}
