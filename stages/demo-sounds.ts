import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {defineStage, StageError} from 'mixdown/stage';
import {writeCsv} from './lib/formats/csv.ts';
import {drawFormat, recordClip} from './lib/audio/recording.ts';
import {createRng, type Rng} from './lib/rng.ts';
import {SOUND_CLASSES} from './lib/audio/sounds.ts';
import {between, betweenRatios} from './lib/audio/synth.ts';
import {encodeWav} from './lib/audio/wav-write.ts';

export default defineStage({
  name: 'demo-sounds',
  summary: 'A small set of synthesised, labelled clips with the faults of real recordings.',
  params: {
    classes: {type: 'integer', minimum: 2, maximum: 16, default: 12, about: 'kinds of sound'},
    fewestClips: {type: 'integer', minimum: 1, maximum: 500, default: 7, about: 'clips of the rarest label'},
    mostClips: {type: 'integer', minimum: 1, maximum: 500, default: 12, about: 'clips of the most frequent label'},
    verifiedFraction: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.7,
      about: 'share of the clips whose label is manually verified, that is certainly right',
    },
    wrongFraction: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.2,
      about: 'share of the other clips that carry another label',
    },
  },
  inputs: {},
  outputs: {
    clips: {kind: 'tree', name: 'clips', about: 'WAV files of several rates, lengths, channels and encodings'},
    labels: {kind: 'file', name: 'labels.csv', about: 'csv: fname,label,manually_verified'},
  },
  seeded: true,
  run({params, outputs, seed, progress, metric}) {
    const {classes, fewestClips, mostClips} = params;
    if (fewestClips > mostClips) {
      throw new StageError(`fewestClips is ${fewestClips}, more than mostClips, which is ${mostClips}`);
    }
    const rng = createRng(seed);
    const labels = SOUND_CLASSES.slice(0, classes).map((sound) => sound.label);
    const counts = rng.fork('counts').shuffle(labels.map((_, i) => spread(fewestClips, mostClips, i, classes)));
    const rows: (readonly [string, string, number])[] = [];
    let bytes = 0;
    for (const [c, sound] of SOUND_CLASSES.slice(0, classes).entries()) {
      for (let n = 1; n <= (counts[c] ?? 0); n++) {
        const fname = `${sound.label}-${String(n).padStart(2, '0')}.wav`;
        const clipRng = rng.fork(fname);
        const seconds = drawSeconds(clipRng);
        const format = drawFormat(seconds, sound.lowestRate, clipRng);
        const dry = sound.play(seconds, format.sampleRate, clipRng.fork('sound'));
        const wav = encodeWav(recordClip(dry, format, clipRng.fork('recording')), format.encoding);
        writeFileSync(join(outputs.clips, fname), wav);
        bytes += wav.length;
        rows.push([fname, ...drawLabel(sound.label, labels, params, clipRng)]);
      }
      progress((c + 1) / classes, sound.label);
    }
    rows.sort(([a], [b]) => (a < b ? -1 : 1));
    writeCsv(outputs.labels, ['fname', 'label', 'manually_verified'], rows);
    metric('clips', rows.length);
    metric('bytes', bytes);
  },
});

/** Evenly from `low` to `high` over n classes, n at least 2. */
function spread(low: number, high: number, i: number, n: number): number {
  return Math.round(low + ((high - low) * i) / (n - 1));
}

/** 0.4 ... 4 s: many shorter than one log-mel patch, few longer than three. */
function drawSeconds(rng: Rng): number {
  return rng.uniform() < 0.08 ? between(rng, 2.5, 4) : betweenRatios(rng, 0.4, 1.6);
}

/** The label and whether it is verified. Only an unverified label may be wrong. */
function drawLabel(
  label: string,
  labels: readonly string[],
  {verifiedFraction, wrongFraction}: {readonly verifiedFraction: number; readonly wrongFraction: number},
  rng: Rng,
): readonly [string, number] {
  if (rng.uniform() < verifiedFraction) return [label, 1];
  const others = labels.filter((other) => other !== label);
  const isWrong = rng.uniform() < wrongFraction;
  return [isWrong ? (others[rng.integer(others.length)] ?? label) : label, 0];
}
