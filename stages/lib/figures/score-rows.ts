import type {VariantReports} from '../learning/repeats.ts';
import type {PublishedVariant} from './published.ts';
import type {Reference} from './reference.ts';
import {SCORES, type Score} from './scores.ts';

/** A row of a table of variants: one of ours, one of the reference, or both. */
export interface VariantRow {
  /** As ours is called, else as the reference calls it. */
  readonly variant: string;
  readonly own: VariantReports | undefined;
  readonly published: PublishedVariant | undefined;
}

/**
 * The rows of the reference in its order, each as the variants of ours that it stands for; then those of ours that it does
 * not have. Rows that we have not run stay where `notRun` is `show`, so that what was not done is seen; those whose figures
 * are of other scores than `scores` do not.
 */
export function variantRows(
  names: readonly string[],
  variants: readonly VariantReports[],
  reference: Reference | undefined,
  {notRun, scores}: {readonly notRun: 'show' | 'hide'; readonly scores: readonly Score[]},
): readonly VariantRow[] {
  const row = (variant: string, published: PublishedVariant | undefined): VariantRow => ({
    variant,
    own: variants.find((own) => own.variant === variant),
    published,
  });
  if (reference === undefined) return names.map((name) => row(name, undefined));
  const known = reference.variants.flatMap((published): readonly VariantRow[] => {
    const ours = names.filter((name) => reference.find(name) === published);
    if (ours.length > 0) return ours.map((name) => row(name, published));
    const known = SCORES.filter((score) => published.scores[score] !== undefined);
    const isShown = notRun === 'show' && (known.length === 0 || known.some((score) => scores.includes(score)));
    return isShown ? [{variant: published.variant, own: undefined, published}] : [];
  });
  return [...known, ...names.filter((name) => reference.find(name) === undefined).map((name) => row(name, undefined))];
}
