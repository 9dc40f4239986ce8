// Patches of images for convolutions as products of matrices. Images are (images, height, width, channels).

/** A convolution's sizes, i32 each, in this order; `top` and `left` are the rows and columns of padding. */
@unmanaged
class Geometry {
  height: i32;
  width: i32;
  channels: i32;
  outHeight: i32;
  outWidth: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideHeight: i32;
  strideWidth: i32;
  dilationHeight: i32;
  dilationWidth: i32;
  top: i32;
  left: i32;
}

/**
 * Rows `first` up to `end` of the matrix with one row for each output pixel (images * outHeight * outWidth), which holds the
 * pixels it sees: kernelHeight * kernelWidth * channels, zeros outside of the image.
 */
export function patchRows(x: usize, rows: usize, first: i32, end: i32, g: Geometry): void {
  const pixel = <usize>g.channels << 2;
  let column = first % g.outWidth;
  let line = (first / g.outWidth) % g.outHeight;
  let image = first / g.outWidth / g.outHeight;
  for (let r = first; r < end; r++) {
    for (let i = 0; i < g.kernelHeight; i++) {
      const y = line * g.strideHeight + i * g.dilationHeight - g.top;
      if (y < 0 || y >= g.height) memory.fill(rows, 0, pixel * <usize>g.kernelWidth);
      else copyLine(x + <usize>((image * g.height + y) * g.width) * pixel, rows, column * g.strideWidth - g.left, pixel, g);
      rows += pixel * <usize>g.kernelWidth;
    }
    if (++column === g.outWidth) {
      column = 0;
      if (++line === g.outHeight) {
        line = 0;
        image++;
      }
    }
  }
}

/** The kernelWidth pixels of a line from column `from` on. */
@inline
function copyLine(line: usize, to: usize, from: i32, pixel: usize, g: Geometry): void {
  const end = from + g.kernelWidth;
  if (g.dilationWidth === 1 && from >= 0 && end <= g.width) {
    copyFloats(line + <usize>from * pixel, to, <usize>g.kernelWidth * pixel);
    return;
  }
  for (let j = 0; j < g.kernelWidth; j++) {
    const column = from + j * g.dilationWidth;
    if (column < 0 || column >= g.width) memory.fill(to, 0, pixel);
    else copyFloats(line + <usize>column * pixel, to, pixel);
    to += pixel;
  }
}

@inline
function copyFloats(from: usize, to: usize, bytes: usize): void {
  if (bytes >= 64) {
    memory.copy(to, from, bytes);
    return;
  }
  for (let o: usize = 0; o < bytes; o += 4) store<f32>(to + o, load<f32>(from + o));
}

/**
 * Rows `first` up to `end` of the transpose of that matrix. `planes`: the images as (images, channels, height, width).
 */
export function patchColumns(planes: usize, rows: usize, first: i32, end: i32, images: i32, g: Geometry): void {
  const plane = <usize>(g.height * g.width) << 2;
  const outLine = <usize>g.outWidth << 2;
  for (let r = first; r < end; r++) {
    const channel = r % g.channels;
    const tap = r / g.channels;
    const shift = (tap % g.kernelWidth) * g.dilationWidth - g.left;
    const drop = (tap / g.kernelWidth) * g.dilationHeight - g.top;
    for (let image = 0; image < images; image++) {
      const from = planes + <usize>(image * g.channels + channel) * plane;
      for (let line = 0; line < g.outHeight; line++) {
        const y = line * g.strideHeight + drop;
        if (y < 0 || y >= g.height) memory.fill(rows, 0, outLine);
        else copyStrided(from + (<usize>(y * g.width) << 2), rows, shift, g);
        rows += outLine;
      }
    }
  }
}

/** Every strideWidth-th value of a line from column `shift` on. */
@inline
function copyStrided(line: usize, to: usize, shift: i32, g: Geometry): void {
  const stride = g.strideWidth;
  const count = g.outWidth;
  let j = 0;
  for (; j < count && j * stride + shift < 0; j++) store<f32>(to + (<usize>j << 2), 0);
  if (stride === 1) {
    const inside = min(count, g.width - shift);
    for (; j + 4 <= inside; j += 4) v128.store(to + (<usize>j << 2), v128.load(line + (<usize>(j + shift) << 2)));
  }
  for (; j < count; j++) {
    const column = j * stride + shift;
    store<f32>(to + (<usize>j << 2), column < g.width ? load<f32>(line + (<usize>column << 2)) : 0);
  }
}
