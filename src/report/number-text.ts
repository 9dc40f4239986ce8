/**
 * A measured number for people: whole numbers in full, others with four decimals, very small and large ones with an exponent.
 *
 * @param digits - decimals instead of four: of all numbers that are not whole
 */
export function numberText(value: number, digits?: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  if (digits !== undefined) return value.toFixed(digits).replace(/^-(?=[0.]+$)/, '');
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e9 ? value.toFixed(4) : value.toExponential(3);
}

/** The same with its sign: a change. */
export function deltaText(value: number): string {
  return value > 0 ? `+${numberText(value)}` : numberText(value);
}
