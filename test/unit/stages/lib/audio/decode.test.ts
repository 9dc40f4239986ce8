import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {StageError} from 'mixdown/stage';
import {afterEach, describe, expect, test, vi} from 'vitest';
import fc from 'fast-check';
import {BadClip} from '../../../../../stages/lib/audio/bad-clip.ts';
import {decodeClip, type DecodedClip} from '../../../../../stages/lib/audio/decode.ts';
import {encodeWav} from '../../../../../stages/lib/audio/wav-write.ts';
import golden from '../../../../golden/audio/clips.json' with {type: 'json'};
import {reseal} from '../../../../support/ogg-pages.ts';

const folder = join(import.meta.dirname, '../../../../golden/audio/clips');
const names = readdirSync(folder).sort();
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)));
const decode = async (name: string): Promise<DecodedClip> => decodeClip(bytesOf(name));

afterEach(() => void vi.unstubAllEnvs());

async function thrownBy(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('nothing was thrown'),
    (error: unknown) => error as Error,
  );
}

describe('lossless files', () => {
  test.each<[string, string, string, string]>([
    ['mono16.flac', 'mono.wav', 'flac', 'flac'],
    ['stereo16.flac', 'stereo.wav', 'flac', 'flac'],
    ['mono8.flac', 'u8.wav', 'flac', 'flac'],
    ['stereo24.flac', 's24.wav', 'flac', 'flac'],
    ['pipe.flac', 'mono.wav', 'flac', 'flac'],
    ['flac.ogg', 'stereo.wav', 'flac', 'ogg'],
    ['rifx.wav', 'stereo.wav', 's16', 'wav'],
    ['rf64.wav', 'mono.wav', 's16', 'wav'],
    ['pipe.wav', 'mono.wav', 's16', 'wav'],
    ['f32.wav', 'mono.wav', 'f32', 'wav'],
  ])('%s gives the samples of %s to the bit', async (name, source, codec, container) => {
    const {channels, sampleRate} = await decode(source);
    expect(await decode(name)).toEqual({channels, sampleRate, codec, container});
  });

  test('FLAC behind an ID3 tag and before another', async () => {
    const front = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\x05', 'latin1'), Buffer.alloc(5)]);
    const back = Buffer.concat([Buffer.from('TAG', 'latin1'), Buffer.alloc(125)]);
    const tagged = Buffer.concat([front, bytesOf('mono16.flac'), back]);
    expect((await decodeClip(tagged)).channels).toEqual((await decode('mono.wav')).channels);
  });
});

// Largest difference from what the reference decoder gave. oggdec rounds to 16 bits; the others print float32. Layer II of
// ffmpeg works with integers.
const TOLERANCES: Readonly<Record<string, number>> = {
  'mono.vorbis.ogg': 2 ** -15,
  'stereo.vorbis.ogg': 2 ** -15,
  'mono.opus': 6e-5,
  'stereo.opus': 6e-5,
  'six.opus': 1e-4,
  'stereo.mp2': 1e-4,
};

describe('the reference decoders', () => {
  test.each(Object.entries(golden.decoded))('agree on %s', async (name, {length, samples}) => {
    const {channels} = await decode(name);
    expect(channels.map((channel) => channel.length)).toEqual(samples.map(() => length));
    const tolerance = TOLERANCES[name] ?? 3e-6;
    for (const [c, expected] of samples.entries()) {
      for (const [i, value] of expected.entries()) {
        expect(Math.abs(channels[c]![i * golden.step]! - value)).toBeLessThanOrEqual(tolerance);
      }
    }
  });

  test('the content says what a file is', async () => {
    const kinds = names
      .filter((name) => !/aiff|m4a|adpcm|wav$/.test(name))
      .map(async (name) => {
        const {codec, container, sampleRate, channels} = await decode(name);
        return `${name} ${codec} ${container} ${sampleRate} ${channels.length}`;
      });
    expect(await Promise.all(kinds)).toEqual([
      'flac.ogg flac ogg 16000 2',
      'mono.mp3 mp3 mpeg 44100 1',
      'mono.opus opus ogg 48000 1',
      'mono.vorbis.ogg vorbis ogg 44100 1',
      'mono16.flac flac flac 16000 1',
      'mono8.flac flac flac 16000 1',
      'pipe.flac flac flac 16000 1',
      'plain.mp3 mp3 mpeg 44100 1',
      'six.opus opus ogg 48000 6',
      'slow.mp3 mp3 mpeg 8000 1',
      'stereo.mp2 mp2 mpeg 44100 2',
      'stereo.mp3 mp3 mpeg 44100 2',
      'stereo.opus opus ogg 48000 2',
      'stereo.vorbis.ogg vorbis ogg 44100 2',
      'stereo16.flac flac flac 16000 2',
      'stereo24.flac flac flac 16000 2',
      'tagged.mp3 mp3 mpeg 44100 2',
    ]);
  });

  test('a second decoding gives the same bits', async () => {
    for (const name of ['mono.vorbis.ogg', 'stereo.opus', 'stereo.mp3', 'stereo24.flac']) {
      expect(await decode(name)).toEqual(await decode(name));
    }
  });

  test('the gain in the header of Opus is applied', async () => {
    const louder = Buffer.from(bytesOf('mono.opus'));
    // The first page: 27 bytes and one of lacing, then OpusHead with the gain, in 1/256 dB, at byte 16.
    louder.writeInt16LE(6 * 256, 28 + 16);
    const {channels} = await decodeClip(reseal(louder));
    const plain = (await decode('mono.opus')).channels[0]!;
    for (const [i, sample] of channels[0]!.entries()) expect(sample).toBeCloseTo(plain[i]! * 10 ** 0.3, 9);
  });
});

describe('bad clips', () => {
  const ogg = bytesOf('mono.vorbis.ogg');
  const pages = pageStarts(ogg);
  const flac = bytesOf('mono16.flac');
  const mp3 = bytesOf('mono.mp3');
  const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, bytes[at]! ^ 0x10);

  test.each<[string, Uint8Array, string]>([
    ['an empty file', Buffer.of(), 'the clip is no sound: it is empty'],
    ['text', Buffer.from('fname,label\n'), 'the clip is no sound: it looks like text'],
    ['text in another language', Buffer.from('Türglocke, große\n'.repeat(60)), 'it looks like text'],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\x0d', 'latin1'), 'it looks like an image'],
    ['an archive', Buffer.from('PK\x03\x04\x14\0', 'latin1'), 'it looks like a ZIP archive'],
    ['a file of zeros', Buffer.alloc(5000), 'it looks like nothing but zeros'],
    [
      'a WAV without samples',
      encodeWav({sampleRate: 44_100, channels: [new Float64Array()]}, 'pcm16'),
      'has no samples',
    ],
    ['a WAV cut off', bytesOf('mono.wav').subarray(0, 1000), 'the header says 3840 bytes of samples, the file has 956'],
    [
      'a WAV with NaN',
      encodeWav({sampleRate: 8000, channels: [Float64Array.of(0, NaN)]}, 'float32'),
      'channel 1 is NaN',
    ],
    [
      'a FLAC cut off',
      flac.subarray(0, 700),
      'is truncated or damaged in its last FLAC frame, after 1152 of 1920 samples',
    ],
    ['a FLAC cut between frames', flac.subarray(0, lastFrame(flac)), 'is truncated: it has 1728 of 1920 samples'],
    ['a FLAC with a hole', flipped(flac, 600), 'is damaged in its FLAC frame 2, after 576 of 1920 samples'],
    ['a FLAC of other samples', flipped(flac, 30), 'its samples do not match their MD5'],
    ['an Ogg cut off', ogg.subarray(0, ogg.length - 1), 'it ends inside an Ogg page'],
    ['an Ogg cut between pages', ogg.subarray(0, pages.at(-1)), 'its last Ogg page does not end the stream'],
    ['an Ogg with a damaged page', flipped(ogg, ogg.length - 9), 'does not match its checksum'],
    [
      'an Ogg without its second page',
      Buffer.concat([ogg.subarray(0, pages[1]), ogg.subarray(pages[2])]),
      'Ogg page 1 is missing',
    ],
    ['an MP3 cut off', mp3.subarray(0, 600), 'is truncated or damaged: 1 of 5 MPEG frames follow each other'],
    [
      'an MP3 without a count, cut off',
      bytesOf('plain.mp3').subarray(0, 900),
      'it ends inside an MPEG frame, 0.1 s in',
    ],
    ['an MP3 with a hole', flipped(mp3, thirdFrame(mp3) + 1), '1 of 5 MPEG frames follow each other'],
  ])('%s', async (_, bytes, message) => {
    const error = await thrownBy(decodeClip(bytes));
    expect(error).toBeInstanceOf(BadClip);
    expect(error.message).toContain(message);
  });

  test('any damage to any file ends in sound, BadClip or StageError, and nothing is printed', async () => {
    vi.stubEnv('PATH', '');
    const printed = vi.spyOn(console, 'error');
    for (const name of names) {
      const whole = bytesOf(name);
      const damage = fc.record({
        length: fc.oneof(fc.constant(whole.length), fc.nat({max: whole.length})),
        flips: fc.array(
          fc.tuple(fc.oneof(fc.nat({max: 80}), fc.nat({max: whole.length})), fc.integer({min: 1, max: 255})),
          {
            maxLength: 3,
          },
        ),
      });
      const property = fc.asyncProperty(damage, async ({length, flips}) => {
        const bytes = whole.slice(0, length);
        for (const [at, mask] of flips) if (at < length) bytes[at]! ^= mask;
        const outcome = await decodeClip(bytes).then(
          ({channels}) => channels.every((samples) => samples.length > 0 && samples.every(Number.isFinite)),
          (error: unknown) => error instanceof StageError || error,
        );
        expect(outcome).toBe(true);
      });
      await fc.assert(property, {numRuns: 25});
    }
    expect(printed).not.toHaveBeenCalled();
  }, 120_000);

  test.each(names.filter((name) => !/plain|slow|tagged|mp2|pipe|aiff|m4a|adpcm/.test(name)))(
    'no part of %s passes for the whole',
    async (name) => {
      vi.stubEnv('PATH', '');
      const whole = bytesOf(name);
      // An ID3v1 tag at the end of MP3 may be missing.
      for (let length = 0; length < whole.length - 128; length += 97) {
        expect(await thrownBy(decodeClip(whole.subarray(0, length)))).toBeInstanceOf(StageError);
      }
    },
  );
});

/** Of the info frame and those of 64 kbit/s at 44.1 kHz, which all start with the same bytes. */
function thirdFrame(bytes: Uint8Array): number {
  const file = Buffer.from(bytes);
  const second = file.indexOf(Buffer.of(0xff, 0xfb), 4);
  return file.indexOf(Buffer.of(0xff, 0xfb), second + 4);
}

function pageStarts(bytes: Uint8Array): readonly number[] {
  const starts: number[] = [];
  const text = Buffer.from(bytes);
  for (let at = text.indexOf('OggS'); at !== -1; at = text.indexOf('OggS', at + 1)) starts.push(at);
  return starts;
}

/** Frames of 576 samples: the fourth and last is frame number 3, with the lead bytes of the others. */
function lastFrame(bytes: Uint8Array): number {
  return Buffer.from(bytes).lastIndexOf(Buffer.of(0xff, 0xf8));
}
