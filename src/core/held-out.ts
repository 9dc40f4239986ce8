/**
 * What a stage does with the fold that a param of it names. `learns`: it learns from training clips, or chooses some, but
 * those of the fold. `applies`: it learns nothing itself, but what it reads must not have learned from the fold.
 */
export type HeldOutUse = 'learns' | 'applies';
