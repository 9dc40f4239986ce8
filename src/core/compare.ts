/**
 * How an output is compared with a pinned one whose bytes differ. `none`: never, as its bytes hold times or such. Else its
 * numbers are taken out and compared, and everything else must be the same.
 *
 * A number x agrees with the pinned p when |x - p| <= absolute + relative |p|, where `digits` adds half a unit of that decimal
 * place. Of many numbers the root mean square of the differences is held against
 * absolute + relative times the root mean square of the pinned ones.
 */
export type OutputCompare = 'none' | NumericCompare;

export interface NumericCompare extends Tolerance {
  /** What the output is; of a tree, what those of its entries are that are called so. Other entries compare by their bytes. */
  readonly as: CompareForm;
}

export interface Tolerance {
  readonly absolute?: number;
  readonly relative?: number;
  /** Decimal places. */
  readonly digits?: number;
}

/** `text`: any UTF-8 text, each number that is written in it. `json`, `csv`: numbers of the document, not those inside texts. `npz`: stored arrays; what is compressed compares by its bytes. */
export const compareForms = ['json', 'csv', 'text', 'npy', 'npz', 'safetensors'] as const;

export type CompareForm = (typeof compareForms)[number];
