/**
 * A WAV file with a comment, as an INFO list before its samples, where players look for it. `wav` has the layout of
 * `encodeWav`: chunks, each at an even byte, the samples in one of the name data. `text` is ASCII.
 */
export function withComment(wav: Uint8Array, text: string): Uint8Array {
  const view = new DataView(wav.buffer, wav.byteOffset, wav.byteLength);
  const at = dataStart(wav, view);
  // The text ends with a zero byte, and is padded to an even length.
  const size = text.length + 1;
  const list = Buffer.alloc(20 + size + (size % 2));
  list.write('LIST', 0, 'latin1');
  list.writeUInt32LE(list.length - 8, 4);
  list.write('INFOICMT', 8, 'latin1');
  list.writeUInt32LE(size, 16);
  list.write(text, 20, 'latin1');
  const file = Buffer.concat([wav.subarray(0, at), list, wav.subarray(at)]);
  file.writeUInt32LE(file.length - 8, 4);
  return file;
}

function dataStart(wav: Uint8Array, view: DataView): number {
  let at = 12;
  while (String.fromCharCode(...wav.subarray(at, at + 4)) !== 'data') {
    const size = view.getUint32(at + 4, true);
    at += 8 + size + (size % 2);
  }
  return at;
}
