import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {defineStage, StageError} from 'mixdown/stage';
import {normalizePeak} from './lib/audio/peak.ts';
import {pitchShift, WIDEST} from './lib/audio/pitch-shift.ts';
import {readShifts} from './lib/experiment/shifts.ts';
import {withComment} from './lib/audio/wav-comment.ts';
import {encodeWav} from './lib/audio/wav-write.ts';
import {decodeWav, mixToMono} from './lib/audio/wav.ts';

export default defineStage({
  name: 'pitch-shift',
  summary: 'Copies of one waveform at other pitches, as long as it; phase vocoder and resampling.',
  params: {
    normalize: {type: 'boolean', default: true, about: 'scale each copy so that its peak is 1, as the waveform was'},
  },
  inputs: {
    shifts: {kind: 'file', about: 'the copies to make: type shifts/1, from stage augmentation'},
    waveform: {kind: 'file', about: 'WAV; channels are averaged'},
  },
  outputs: {
    waveform: {
      kind: 'tree',
      name: 'waveforms',
      about:
        'one mono, 32-bit float WAV a copy, at the sampling rate and of the length of the waveform, named by its shift; its comment (ICMT) tells the shift',
    },
  },
  run({params, inputs, outputs, signal, progress, metric}) {
    const copies = readShifts(inputs.shifts);
    for (const {name, semitones} of copies) {
      if (Math.abs(semitones) > WIDEST) {
        throw new StageError(`the shifts hold ${name}; a copy is at most ${WIDEST} semitones away`);
      }
    }
    const sound = decodeWav(readFileSync(inputs.waveform));
    const mono = mixToMono(sound);
    for (const [i, {name, semitones}] of copies.entries()) {
      signal.throwIfAborted();
      const shifted = pitchShift(mono, semitones);
      if (params.normalize) normalizePeak(shifted);
      const wav = encodeWav({sampleRate: sound.sampleRate, channels: [shifted]}, 'float32');
      writeFileSync(join(outputs.waveform, `${name}.wav`), withComment(wav, commentOf(semitones)));
      progress((i + 1) / copies.length);
    }
    metric('copies', copies.length);
  },
});

function commentOf(semitones: number): string {
  return `pitch shift: ${semitones > 0 ? '+' : ''}${semitones} semitones`;
}
