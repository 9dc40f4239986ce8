import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {StageError} from 'mixdown/stage';
import {BadClip} from '../audio/bad-clip.ts';
import {decodeWavFile, parseWav, type Sound} from '../audio/wav.ts';

export interface FfmpegOptions {
  /** File that holds the same bytes; without one they are written to a temporary file. */
  readonly path?: string;
  /** Stops ffmpeg. */
  readonly signal?: AbortSignal;
  log?(this: void, text: string): void;
}

/**
 * Decodes the first sound track of a file with the `ffmpeg` on the PATH, at its own rate and with its own channels.
 * `kind` says what the file is. Throws BadClip when ffmpeg reports any error in the file, StageError when there is no ffmpeg,
 * or it was built without the decoder, or it takes longer than ten minutes.
 */
export async function decodeWithFfmpeg(
  bytes: Uint8Array,
  kind: string,
  name: string,
  options: FfmpegOptions = {},
): Promise<Sound> {
  if (options.path !== undefined) return decodeFile(options.path, kind, name, options);
  const folder = mkdtempSync(join(tmpdir(), 'mixdown-clip-'));
  try {
    const path = join(folder, 'clip');
    writeFileSync(path, bytes);
    return await decodeFile(path, kind, name, options);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

async function decodeFile(path: string, kind: string, name: string, {signal, log}: FfmpegOptions): Promise<Sound> {
  const {execa} = await import('execa');
  const run = {
    stdin: 'ignore',
    encoding: 'buffer',
    reject: false,
    stripFinalNewline: false,
    maxBuffer: MOST_BYTES,
    timeout: LONGEST_MS,
    ...(signal === undefined ? {} : {cancelSignal: signal}),
  } as const;
  const version = await execa('ffmpeg', ['-version'], run);
  signal?.throwIfAborted();
  if (version.exitCode !== 0) {
    throw new StageError(
      `${name} ${kind}, which needs ffmpeg, and ffmpeg does not run here: ${version.originalMessage ?? 'it fails'}`,
      'install ffmpeg so that it is on the PATH, or convert the clips, for instance to FLAC',
    );
  }
  log?.(`${name} ${kind}; decoded by ${textOf(version.stdout).split(' Copyright', 1)[0] ?? 'ffmpeg'}`);
  const result = await execa('ffmpeg', argumentsFor(path), run);
  signal?.throwIfAborted();
  if (result.timedOut) throw new StageError(`ffmpeg took more than ${LONGEST_MS / 60_000} minutes over ${name}`);
  if (result.isMaxBuffer) throw new BadClip(`${name} is too long for a clip`, 'cut it into shorter clips');
  const complaint = firstComplaint(textOf(result.stderr), path);
  const isMachine = MACHINE_TROUBLE.test(complaint) && !UNKNOWN_CODEC.test(complaint);
  if (result.exitCode === undefined || isMachine) {
    const why = complaint === '' ? (result.originalMessage ?? `killed by ${result.signal ?? 'a signal'}`) : complaint;
    throw new StageError(`${name} ${kind}, and this machine's ffmpeg could not decode it: ${why}`, 'see to ffmpeg');
  }
  if (result.exitCode !== 0 || complaint !== '') {
    const why = complaint === '' ? `it ended with ${result.exitCode}` : complaint;
    throw new BadClip(`${name} ${kind}, and ffmpeg cannot read it without errors: ${why}`, 'fetch or export it again');
  }
  return decodeWavFile(parseWav(result.stdout, name), name);
}

/** What ffmpeg says when it, not the file, is at fault: it was built without a decoder, or has no memory. */
const MACHINE_TROUBLE =
  /decoder.*not found|no decoder|unknown decoder|not currently supported|cannot allocate|permission denied|too many open/i;
/** No ffmpeg has a decoder for a codec without a name: the file's mark of its codec is damaged. */
const UNKNOWN_CODEC = /codec none/i;
/** Bytes of float64 samples on the way from ffmpeg. */
const MOST_BYTES = 2 ** 31 - 1;
const LONGEST_MS = 600_000;

function argumentsFor(path: string): readonly string[] {
  const quiet = ['-nostdin', '-hide_banner', '-v', 'error', '-xerror', '-threads', '1'];
  // A playlist in disguise must not make it fetch anything.
  const input = ['-protocol_whitelist', 'file,pipe', '-i', `file:${path}`];
  const track = ['-map', '0:a:0', '-map_metadata', '-1', '-fflags', '+bitexact', '-flags:a', '+bitexact'];
  return [...quiet, ...input, ...track, '-c:a', 'pcm_f64le', '-f', 'wav', 'pipe:1'];
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** Without the addresses and paths that differ from one run to the next. */
function firstComplaint(stderr: string, path: string): string {
  const line = stderr.split('\n').find((text) => text.trim() !== '') ?? '';
  return line
    .replaceAll(`file:${path}`, 'the file')
    .replaceAll(path, 'the file')
    .replace(/^(\[[^\]]*\] *)+/, '')
    .trim();
}
