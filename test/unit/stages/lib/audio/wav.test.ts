import fc from 'fast-check';
import {StageError} from 'mixdown/stage';
import {describe, expect, test} from 'vitest';
import {encodeWav, type WavEncoding} from '../../../../../stages/lib/audio/wav-write.ts';
import {decodeWav, mixToMono} from '../../../../../stages/lib/audio/wav.ts';

type Chunk = readonly [tag: string, content: Uint8Array, size?: number];

/** A RIFF file of any chunks; `size` overrides what the header of a chunk says, `pad` whether odd chunks are padded. */
function riff(chunks: readonly Chunk[], pad = true): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('RIFF\0\0\0\0WAVE', 'latin1')];
  for (const [tag, content, size = content.length] of chunks) {
    const head = Buffer.alloc(8);
    head.write(tag, 'latin1');
    head.writeUInt32LE(size, 4);
    parts.push(head, content);
    if (pad && content.length % 2 === 1) parts.push(Buffer.of(0));
  }
  const file = Buffer.concat(parts);
  file.writeUInt32LE(file.length - 8, 4);
  return file;
}

/** A file above 4 GiB has its sizes in a chunk of its own; so may a small one. */
function rf64(tag: string): Uint8Array {
  const sizes = Buffer.alloc(28);
  sizes.writeBigUInt64LE(BigInt(SAMPLES.length), 8);
  const list: Chunk = ['LIST', Buffer.from('INFO', 'latin1')];
  const file = Buffer.from(riff([['ds64', sizes], fmt(), ['data', SAMPLES, 0xffffffff], list]));
  file.write(tag, 'latin1');
  file.writeUInt32LE(0xffffffff, 4);
  return file;
}

/** The same file with every number the other way round; all fields and samples here are 16 or 32 bits. */
function rifx(samples: Uint8Array): Uint8Array {
  const file = Buffer.from(riff([fmt(), ['data', samples]]));
  file.write('RIFX', 'latin1');
  for (const at of [4, 16, 24, 28, 40]) file.subarray(at, at + 4).swap32();
  for (const at of [20, 22, 32, 34]) file.subarray(at, at + 2).swap16();
  file.subarray(44).swap16();
  return file;
}

interface FormatFields {
  readonly tag?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly bits?: number;
  readonly frameBytes?: number;
}

function fmt({tag = 1, channels = 1, rate = 8000, bits = 16, frameBytes}: FormatFields = {}): Chunk {
  const bytes = Buffer.alloc(16);
  const align = frameBytes ?? channels * Math.ceil(bits / 8);
  bytes.writeUInt16LE(tag, 0);
  bytes.writeUInt16LE(channels, 2);
  bytes.writeUInt32LE(rate, 4);
  bytes.writeUInt32LE((rate * align) >>> 0, 8);
  bytes.writeUInt16LE(align, 12);
  bytes.writeUInt16LE(bits, 14);
  return ['fmt ', bytes];
}

function extensible(tag: number, bits: number, validBits: number, guid = '000000001000800000aa00389b71'): Chunk {
  const [, base] = fmt({tag: 0xfffe, bits});
  const rest = Buffer.alloc(24);
  rest.writeUInt16LE(22, 0);
  rest.writeUInt16LE(validBits, 2);
  rest.writeUInt16LE(tag, 8);
  rest.write(guid, 10, 'hex');
  return ['fmt ', Buffer.concat([base, rest])];
}

const int16 = (...values: number[]): Uint8Array => new Uint8Array(Int16Array.from(values).buffer);
const first = (bytes: Uint8Array): number[] => [...decodeWav(bytes).channels[0]!];
const SAMPLES = int16(16384, -32768);
const EXPECTED = [0.5, -1];

describe('round trips', () => {
  const step: Readonly<Record<WavEncoding, number>> = {
    pcm8: 2 ** -7,
    pcm16: 2 ** -15,
    pcm24: 2 ** -23,
    pcm32: 2 ** -31,
    float32: 2 ** -24,
    float64: 0,
  };
  test.each(Object.keys(step) as WavEncoding[])('%s keeps rate, channels and samples', (encoding) => {
    const sample = fc.double({min: -1, max: 1, noNaN: true});
    fc.assert(
      fc.property(
        fc.integer({min: 1, max: 3}),
        fc.array(fc.tuple(sample, sample, sample), {minLength: 1, maxLength: 9}),
        fc.constantFrom(8000, 44_100, 192_000),
        (count, frames, sampleRate) => {
          const channels = Array.from({length: count}, (_, c) => Float64Array.from(frames, (frame) => frame[c]!));
          const back = decodeWav(encodeWav({sampleRate, channels}, encoding));
          expect(back.sampleRate).toBe(sampleRate);
          expect(back.channels.length).toBe(count);
          for (const [c, samples] of channels.entries()) {
            expect(back.channels[c]!.length).toBe(samples.length);
            // Full scale itself is one step beyond the largest PCM value.
            for (const [i, x] of samples.entries()) {
              expect(Math.abs(back.channels[c]![i]! - x)).toBeLessThanOrEqual(
                x > 1 - step[encoding] ? step[encoding] : step[encoding] / 2,
              );
            }
          }
        },
      ),
    );
  });

  test('float files may go beyond full scale, PCM files are clipped', () => {
    const sound = {sampleRate: 8000, channels: [Float64Array.of(3, -3)]};
    expect(first(encodeWav(sound, 'float32'))).toEqual([3, -3]);
    expect(first(encodeWav(sound, 'pcm8'))).toEqual([127 / 128, -1]);
  });
});

describe('values of known bytes', () => {
  test.each<[string, Chunk, number[], number[]]>([
    ['8 bits, unsigned', fmt({bits: 8}), [0, 128, 192, 255], [-1, 0, 0.5, 127 / 128]],
    ['16 bits', fmt({bits: 16}), [0x00, 0x80, 0xff, 0x7f], [-1, 32767 / 32768]],
    ['24 bits', fmt({bits: 24}), [0x00, 0x00, 0x80, 0x00, 0x00, 0x40, 0xff, 0xff, 0xff], [-1, 0.5, -(2 ** -23)]],
    ['32 bits', fmt({bits: 32}), [0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x40], [-1, 0.5]],
    ['12 bits at the upper end of 16', fmt({bits: 12}), [0x00, 0x40], [0.5]],
    ['float 32', fmt({tag: 3, bits: 32}), [0x00, 0x00, 0x00, 0xbf], [-0.5]],
    ['float 64', fmt({tag: 3, bits: 64}), [0, 0, 0, 0, 0, 0, 0xe0, 0xbf], [-0.5]],
    ['extensible PCM', extensible(1, 16, 16), [0x00, 0x40], [0.5]],
    ['extensible PCM, 24 valid bits of 32', extensible(1, 32, 24), [0x00, 0x00, 0x00, 0x40], [0.5]],
    ['extensible float', extensible(3, 32, 32), [0x00, 0x00, 0x00, 0xbf], [-0.5]],
    // ITU-T G.711: the ends of the scale, the smallest values of both signs, and one in between.
    [
      'A-law',
      fmt({tag: 6, bits: 8}),
      [0xaa, 0x2a, 0xd5, 0x55, 0x84],
      [32256, -32256, 8, -8, 4480].map((x) => x / 32768),
    ],
    [
      'mu-law',
      fmt({tag: 7, bits: 8}),
      [0x80, 0x00, 0xff, 0x7f, 0xce],
      [32124, -32124, 0, 0, 988].map((x) => x / 32768),
    ],
  ])('%s', (_, format, bytes, expected) => {
    expect(first(riff([format, ['data', Uint8Array.from(bytes)]]))).toEqual(expected);
  });
});

describe('files as they occur', () => {
  const list: Chunk = ['LIST', Buffer.from('INFOabc', 'latin1')];
  test.each<[string, Uint8Array]>([
    ['other chunks around, odd ones padded', riff([list, fmt(), list, ['data', SAMPLES], list])],
    ['odd chunks without a pad byte', riff([list, fmt(), list, ['data', SAMPLES], list], false)],
    ['the data before the format', riff([['data', SAMPLES], fmt()])],
    ['a data size of 0, as pipes leave it', riff([fmt(), ['data', SAMPLES, 0]])],
    ['a data size of 0xffffffff', riff([fmt(), ['data', SAMPLES, 0xffffffff]])],
    ['a data size of 0x7ffff000', riff([fmt(), ['data', SAMPLES, 0x7ffff000]])],
    ['half a frame at the end', riff([fmt(), ['data', Buffer.concat([SAMPLES, Buffer.of(1)])]])],
    ['stray bytes after the last chunk', Buffer.concat([riff([fmt(), ['data', SAMPLES]]), Buffer.from('xyz')])],
    ['RIFX, big-endian', rifx(SAMPLES)],
    ['RF64', rf64('RF64')],
    ['BW64', rf64('BW64')],
    ['a second data chunk', riff([fmt(), ['data', SAMPLES], ['data', int16(1)]])],
  ])('%s', (_, bytes) => {
    expect(first(bytes)).toEqual(EXPECTED);
  });

  test('a view into a larger buffer', () => {
    const bytes = riff([fmt(), ['data', SAMPLES]]);
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(first(larger.subarray(3))).toEqual(EXPECTED);
  });

  test('channels are told apart, and their mean is the mono sound', () => {
    const sound = decodeWav(riff([fmt({channels: 2}), ['data', int16(16384, 0, -16384, 32767)]]));
    expect(sound.channels.map((samples) => [...samples])).toEqual([
      [0.5, -0.5],
      [0, 32767 / 32768],
    ]);
    expect([...mixToMono(sound)]).toEqual([0.25, (32767 / 32768 - 0.5) / 2]);
    expect([...sound.channels[0]!]).toEqual([0.5, -0.5]);
  });
});

describe('refuses', () => {
  const text = (content: string): Uint8Array => Buffer.from(content, 'latin1');
  test.each<[string, Uint8Array, string]>([
    ['an empty file', text(''), 'the clip is not a WAV file: it is empty'],
    ['FLAC', text('fLaC\0\0\0\x22'), 'it looks like FLAC'],
    ['Ogg', text('OggS\0\x02'), 'it looks like Ogg'],
    ['MP3 with tags', text('ID3\x04\0'), 'it looks like MP3'],
    ['MP3', text('\xff\xfb\x90\0'), 'it looks like MP3'],
    ['AIFF', text('FORM\0\0\0\x10AIFF'), 'it looks like AIFF'],
    ['M4A', text('\0\0\0 ftypM4A '), 'it looks like MP4 (M4A)'],
    ['AVI', text('RIFF\0\0\0\0AVI '), 'it looks like another RIFF file, such as AVI'],
    ['a cut header', text('RIFF\0\0'), 'it looks like a WAV cut off in its header'],
    ['text', text('fname,label\n'), 'it looks like text'],
    ['anything else', text('\0\x01\x02\x03'), 'it is of no known kind'],
    ['no chunks', riff([]), 'it has no format chunk'],
    ['no data', riff([fmt()]), 'it has no data chunk'],
    ['a short format chunk', riff([['fmt ', Buffer.alloc(14)]]), 'its format chunk has 14 bytes, 16 are needed'],
    ['a cut format chunk', riff([fmt()]).subarray(0, 30), 'it ends inside its format chunk'],
    ['no samples', riff([fmt(), ['data', Buffer.alloc(0)]]), 'the clip has no samples'],
    [
      'no samples but tags',
      riff([fmt(), ['data', Buffer.alloc(0)], ['LIST', text('INFO')]]),
      'the clip has no samples',
    ],
    ['less than a frame', riff([fmt(), ['data', Buffer.of(1)]]), 'the clip has no samples'],
    [
      'truncated data',
      riff([fmt(), ['data', SAMPLES, 1000]]),
      'the clip is truncated: the header says 1000 bytes of samples, the file has 4',
    ],
    ['A-law of 16 bits', riff([fmt({tag: 6, bits: 16}), ['data', SAMPLES]]), 'it holds A-law samples of 16 bits'],
    [
      'ADPCM',
      riff([fmt({tag: 2, bits: 4}), ['data', SAMPLES]]),
      'it holds Microsoft ADPCM, which is not PCM, float or',
    ],
    ['an unknown coding', riff([fmt({tag: 0x7a21}), ['data', SAMPLES]]), 'it holds format 0x7a21, which is not PCM'],
    [
      'an extensible file of another sub-format',
      riff([extensible(1, 16, 16, '00002107d3118644c8c1ca000000'), ['data', SAMPLES]]),
      'it holds an unknown sub-format',
    ],
    ['40 bits', riff([fmt({bits: 40}), ['data', SAMPLES]]), 'holds pcm samples of 40 bits'],
    ['0 bits', riff([fmt({bits: 0}), ['data', SAMPLES]]), 'holds pcm samples of 0 bits'],
    ['16-bit float', riff([fmt({tag: 3, bits: 16}), ['data', SAMPLES]]), 'holds float samples of 16 bits'],
    ['no channels', riff([fmt({channels: 0}), ['data', SAMPLES]]), 'it has no channels'],
    [
      'frames of a wrong size',
      riff([fmt({channels: 2, frameBytes: 3}), ['data', SAMPLES]]),
      '2 channels of 16 bits do not make frames of 3 bytes',
    ],
    ['a rate of 0', riff([fmt({rate: 0}), ['data', SAMPLES]]), 'the clip has a sampling rate of 0 Hz'],
    [
      'NaN',
      encodeWav({sampleRate: 8000, channels: [Float64Array.of(0, Number.NaN)]}, 'float32'),
      'sample 1 of channel 1 is NaN',
    ],
    [
      'infinity',
      encodeWav({sampleRate: 8000, channels: [Float64Array.of(-Infinity)]}, 'float64'),
      'sample 0 of channel 1 is -Infinity',
    ],
    [
      'numbers that are no sound',
      encodeWav({sampleRate: 8000, channels: [Float64Array.of(1e300)]}, 'float64'),
      'sample 0 of channel 1 is 1e+300',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeWav(bytes)).toThrow(StageError);
    expect(() => decodeWav(bytes)).toThrow(message.replace(/^it holds/, 'the clip holds'));
  });

  test('any damage with a StageError and nothing else', () => {
    const good = encodeWav(
      {sampleRate: 8000, channels: [Float64Array.of(0.1, 0.2), Float64Array.of(0.3, 0.4)]},
      'float32',
    );
    const damage = fc.array(fc.tuple(fc.nat({max: good.length - 1}), fc.nat({max: 255})), {minLength: 1, maxLength: 6});
    fc.assert(
      fc.property(damage, fc.nat({max: good.length}), (changes, length) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        let outcome: unknown;
        try {
          outcome = decodeWav(bytes.subarray(0, length)).channels.every((samples) => samples.every(Number.isFinite));
        } catch (error) {
          outcome = error instanceof StageError || error;
        }
        expect(outcome).toBe(true);
      }),
      {numRuns: 2000},
    );
  });
});
