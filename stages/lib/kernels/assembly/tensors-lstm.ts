// The cell of an LSTM: (rows, 4 units) of gates in the order input, forget, cell, output, and (rows, units) of states.
import {put, sigmoid4, take, tanh4} from './tensors-lanes';

/** From pre-activations `z` and the cell `before` (0: none), the gates, the cell, its tanh, and the hidden state. */
export function lstmCell(
  z: usize, before: usize, gates: usize, cell: usize, squashed: usize, hidden: usize, rows: i32, units: i32,
): void {
  const width = <usize>units << 2;
  const even = <usize>(units & ~3) << 2;
  for (; rows > 0; rows--) {
    let o: usize = 0;
    for (; o < even; o += 16) cellAt(z + o, before ? before + o : 0, gates + o, cell + o, squashed + o, hidden + o, width, true);
    for (; o < width; o += 4) cellAt(z + o, before ? before + o : 0, gates + o, cell + o, squashed + o, hidden + o, width, false);
    z += width << 2;
    gates += width << 2;
    if (before) before += width;
    cell += width;
    squashed += width;
    hidden += width;
  }
}

@inline
function cellAt(
  z: usize, before: usize, gates: usize, cell: usize, squashed: usize, hidden: usize, width: usize, whole: bool,
): void {
  const i = sigmoid4(take(z, whole));
  const f = sigmoid4(take(z + width, whole));
  const g = tanh4(take(z + 2 * width, whole));
  const o = sigmoid4(take(z + 3 * width, whole));
  let c = f32x4.mul(i, g);
  if (before) c = f32x4.add(c, f32x4.mul(f, take(before, whole)));
  const t = tanh4(c);
  put(gates, i, whole);
  put(gates + width, f, whole);
  put(gates + 2 * width, g, whole);
  put(gates + 3 * width, o, whole);
  put(cell, c, whole);
  put(squashed, t, whole);
  put(hidden, f32x4.mul(o, t), whole);
}

/**
 * From the gradients of the hidden state and of the cell (0: none), those of the pre-activations and of the cell before.
 * `before` as in `lstmCell`.
 */
export function lstmCellGradient(
  gates: usize, squashed: usize, before: usize, dHidden: usize, dCell: usize, dz: usize, dBefore: usize, rows: i32, units: i32,
): void {
  const width = <usize>units << 2;
  const even = <usize>(units & ~3) << 2;
  for (; rows > 0; rows--) {
    let o: usize = 0;
    for (; o < even; o += 16) {
      cellGradientAt(
        gates + o, squashed + o, before ? before + o : 0, dHidden + o, dCell ? dCell + o : 0, dz + o, dBefore + o, width, true,
      );
    }
    for (; o < width; o += 4) {
      cellGradientAt(
        gates + o, squashed + o, before ? before + o : 0, dHidden + o, dCell ? dCell + o : 0, dz + o, dBefore + o, width, false,
      );
    }
    gates += width << 2;
    dz += width << 2;
    if (before) before += width;
    if (dCell) dCell += width;
    squashed += width;
    dHidden += width;
    dBefore += width;
  }
}

@inline
function cellGradientAt(
  gates: usize, squashed: usize, before: usize, dHidden: usize, dCell: usize, dz: usize, dBefore: usize,
  width: usize, whole: bool,
): void {
  const one = f32x4.splat(1);
  const i = take(gates, whole);
  const f = take(gates + width, whole);
  const g = take(gates + 2 * width, whole);
  const o = take(gates + 3 * width, whole);
  const t = take(squashed, whole);
  const d = take(dHidden, whole);
  let dc = f32x4.mul(f32x4.mul(d, o), f32x4.sub(one, f32x4.mul(t, t)));
  if (dCell) dc = f32x4.add(dc, take(dCell, whole));
  const c = before ? take(before, whole) : f32x4.splat(0);
  put(dz, f32x4.mul(f32x4.mul(dc, g), f32x4.mul(i, f32x4.sub(one, i))), whole);
  put(dz + width, f32x4.mul(f32x4.mul(dc, c), f32x4.mul(f, f32x4.sub(one, f))), whole);
  put(dz + 2 * width, f32x4.mul(f32x4.mul(dc, i), f32x4.sub(one, f32x4.mul(g, g))), whole);
  put(dz + 3 * width, f32x4.mul(f32x4.mul(d, t), f32x4.mul(o, f32x4.sub(one, o))), whole);
  put(dBefore, f32x4.mul(dc, f), whole);
}
