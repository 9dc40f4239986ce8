import {BadClip} from './bad-clip.ts';
import {decodeWithFfmpeg, type FfmpegOptions} from '../codecs/ffmpeg.ts';
import {decodeFlac, decodeOggFlac} from '../codecs/flac.ts';
import {decodeMpeg} from '../codecs/mp3.ts';
import {firstPacket, readOgg} from '../codecs/ogg.ts';
import {decodeOpus} from '../codecs/opus.ts';
import {decodeVorbis} from '../codecs/vorbis.ts';
import {fileKind, type FileKind} from './file-kind.ts';
import {decodeWavFile, parseWav, type Sound} from './wav.ts';

export interface DecodedClip extends Sound {
  /** What the samples were coded in: `s16`, `mulaw`, `flac`, `vorbis`, `opus`, `mp3`, ...; the container's name if unknown. */
  readonly codec: string;
  /** What the file is: `wav`, `flac`, `ogg`, `mpeg`, `aiff`, `mp4`, ...: a key of CONTAINER_EXTENSIONS, mostly. */
  readonly container: string;
}

/**
 * Decodes a sound file of any kind, told by its content: WAV, FLAC, Ogg with Vorbis, Opus or FLAC, and MPEG audio here; every
 * other kind of sound with the `ffmpeg` on the PATH. `name` stands for the file in messages.
 * Throws BadClip when the file is no sound, damaged, cut off or empty; plain StageError when this machine lacks what it needs.
 */
export async function decodeClip(
  bytes: Uint8Array,
  name = 'the clip',
  options: FfmpegOptions = {},
): Promise<DecodedClip> {
  const kind = fileKind(bytes);
  if (kind.group === 'none') throw new BadClip(`${name} is no sound: it ${kind.what}`, 'remove it from the clips');
  const sound = await decodeHere(bytes.subarray(kind.skip), kind, name);
  if (sound !== undefined) return sound;
  if (kind.id === 'aiff') checkForm(bytes, name);
  const what = kind.group === 'foreign' || kind.group === 'unknown' ? kind.what : `${kind.what} of a rare form`;
  return {...(await decodeWithFfmpeg(bytes, what, name, options)), codec: kind.id, container: kind.id};
}

/** AIFF states its length; ffmpeg would take what is there. */
function checkForm(bytes: Uint8Array, name: string): void {
  const size = 8 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4);
  if (size <= bytes.length) return;
  throw new BadClip(
    `${name} is truncated: its header says ${size} bytes, the file has ${bytes.length}`,
    'fetch or export it again',
  );
}

async function decodeHere(bytes: Uint8Array, kind: FileKind, name: string): Promise<DecodedClip | undefined> {
  switch (kind.group) {
    case 'wav': {
      const wav = parseWav(bytes, name);
      return wav.coding === null ? undefined : {...decodeWavFile(wav, name), codec: wav.coding, container: 'wav'};
    }
    case 'flac':
      return labelled(await decodeFlac(bytes, name), 'flac', 'flac');
    case 'ogg':
      return decodeOgg(bytes, name);
    case 'mpeg': {
      const sound = await decodeMpeg(bytes, name);
      return (
        sound && {sampleRate: sound.sampleRate, channels: sound.channels, codec: `mp${sound.layer}`, container: 'mpeg'}
      );
    }
    case 'foreign':
    case 'unknown':
    case 'none':
      return undefined;
  }
}

async function decodeOgg(bytes: Uint8Array, name: string): Promise<DecodedClip | undefined> {
  const head = Buffer.from(firstPacket(bytes)).toString('latin1', 0, 8);
  if (head.startsWith('\x01vorbis')) return labelled(await decodeVorbis(bytes, name), 'vorbis', 'ogg');
  if (head === 'OpusHead') return labelled(await decodeOpus(bytes, name), 'opus', 'ogg');
  if (head.startsWith('\x7fFLAC')) return labelled(await decodeOggFlac(bytes, name), 'flac', 'ogg');
  // Another codec, unless the file is damaged.
  readOgg(bytes, () => 1, name);
  return undefined;
}

function labelled(sound: Sound | undefined, codec: string, container: string): DecodedClip | undefined {
  return sound && {...sound, codec, container};
}
