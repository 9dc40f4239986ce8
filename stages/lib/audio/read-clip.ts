import {readFileSync, statSync} from 'node:fs';
import type {FfmpegOptions} from '../codecs/ffmpeg.ts';
import {BadClip} from './bad-clip.ts';
import {decodeClip, type DecodedClip} from './decode.ts';

/** Decodes the sound file at a path, as decodeClip does, which also says what is thrown. */
export async function readClip(path: string, options: Omit<FfmpegOptions, 'path'> = {}): Promise<DecodedClip> {
  if (statSync(path).size > MOST_BYTES) throw new BadClip('the clip is larger than 2 GiB', 'cut it into shorter clips');
  return decodeClip(readFileSync(path), 'the clip', {...options, path});
}

/** What Node reads at once. */
const MOST_BYTES = 2 ** 31 - 1;
