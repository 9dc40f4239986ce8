// Maxima of 2 x 2 windows, stride 2. Images are (images, height, width, channels).
import {put, take} from './tensors-lanes';

/**
 * From the gradient of the maxima, that of the image: the first of equal maxima gets it, in the order of the rows. Windows
 * that hang over the end of an odd height or width see what is there. `height` and `width` are the image's.
 */
export function maxPoolGradient(x: usize, dy: usize, dx: usize, images: i32, height: i32, width: i32, channels: i32): void {
  const pixel = <usize>channels << 2;
  const even = <usize>(channels & ~3) << 2;
  const line = <usize>width * pixel;
  for (; images > 0; images--) {
    for (let i = 0; i < height; i += 2) {
      for (let j = 0; j < width; j += 2) {
        const o = (<usize>i * <usize>width + <usize>j) * pixel;
        // Offsets of the window's other pixels; 0 where there is none.
        const right = j + 1 < width ? pixel : 0;
        const below = i + 1 < height ? line : 0;
        let c: usize = 0;
        for (; c < even; c += 16) share(x + o + c, dy + c, dx + o + c, right, below, true);
        for (; c < pixel; c += 4) share(x + o + c, dy + c, dx + o + c, right, below, false);
        dy += pixel;
      }
    }
    x += line * <usize>height;
    dx += line * <usize>height;
  }
}

/** A pixel that is not there is a repetition of one that is, and is not the first maximum: it is written first. */
@inline
function share(x: usize, dy: usize, dx: usize, right: usize, below: usize, whole: bool): void {
  const a = take(x, whole);
  const b = take(x + right, whole);
  const c = take(x + below, whole);
  const d = take(x + below + right, whole);
  const most = f32x4.max(f32x4.max(a, b), f32x4.max(c, d));
  const g = take(dy, whole);
  const isA = f32x4.eq(a, most);
  const isB = v128.andnot(f32x4.eq(b, most), isA);
  const notC = v128.or(isA, isB);
  const isC = v128.andnot(f32x4.eq(c, most), notC);
  const isD = v128.andnot(f32x4.eq(d, most), v128.or(notC, isC));
  if (right !== 0 && below !== 0) put(dx + below + right, v128.and(g, isD), whole);
  if (below !== 0) put(dx + below, v128.and(g, isC), whole);
  if (right !== 0) put(dx + right, v128.and(g, isB), whole);
  put(dx, v128.and(g, isA), whole);
}
