import type {Rng} from '../rng.ts';
import {
  between,
  betweenRatios,
  decaying,
  eventTimes,
  fade,
  filter,
  mixInto,
  pluckedString,
  shape,
  silence,
  tone,
  whiteNoise,
  type Partial,
} from './synth.ts';

/** A kind of sound. Every call of `play` draws its pitch, speed and colour anew. */
export interface SoundClass {
  readonly label: string;
  /** Hz below which the sound would lose what makes it. */
  readonly lowestRate: number;
  readonly play: (seconds: number, sampleRate: number, rng: Rng) => Float64Array;
}

/**
 * The classes of the demo set; the first n are used. Neighbours overlap on purpose: bell and pluck, rising and falling
 * sweeps with siren, wind and rain, ticks and drum.
 */
export const SOUND_CLASSES: readonly SoundClass[] = [
  {label: 'beep', lowestRate: 8000, play: beep},
  {label: 'bell', lowestRate: 11_025, play: bell},
  {label: 'bird', lowestRate: 16_000, play: bird},
  {label: 'drum', lowestRate: 8000, play: drum},
  {label: 'engine', lowestRate: 8000, play: engine},
  {label: 'hi-hat', lowestRate: 22_050, play: hiHat},
  {label: 'organ', lowestRate: 8000, play: organ},
  {label: 'pluck', lowestRate: 8000, play: pluck},
  {label: 'siren', lowestRate: 8000, play: siren},
  {label: 'sweep', lowestRate: 8000, play: sweep},
  {label: 'ticks', lowestRate: 8000, play: ticks},
  {label: 'wind', lowestRate: 8000, play: wind},
  {label: 'voice', lowestRate: 8000, play: voice},
  {label: 'rain', lowestRate: 16_000, play: rain},
  {label: 'cricket', lowestRate: 16_000, play: cricket},
  {label: 'buzzer', lowestRate: 8000, play: buzzer},
];

function beep(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const period = between(rng, 0.15, 0.5);
  const length = period * between(rng, 0.4, 0.8);
  const hz = betweenRatios(rng, 1000, 2000);
  for (const at of eventTimes(seconds, period, 0, rng)) {
    mixInto(out, shape(tone(length, rate, hz), rate, fade(length, 0.005, 0.01)), at, rate);
  }
  return out;
}

function bell(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const hz = betweenRatios(rng, 500, 1100);
  const decay = betweenRatios(rng, 1.5, 8);
  // Ratios of a church bell's partials: hum, prime, tierce, quint, nominal and two above.
  const partials = [0.5, 1, 1.19, 1.5, 2, 2.74, 3.76].map((ratio): Partial => ({
    ratio: ratio * between(rng, 0.985, 1.015),
    amplitude: between(rng, 0.3, 1) / Math.sqrt(ratio),
    decay: decay * Math.sqrt(ratio),
  }));
  for (const at of eventTimes(seconds, betweenRatios(rng, 0.5, 3), 0.05, rng)) {
    mixInto(out, tone(seconds - at, rate, hz, partials), at, rate);
  }
  return out;
}

function bird(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const base = betweenRatios(rng, 2200, 3800);
  const span = base * between(rng, -0.35, 0.5);
  const length = between(rng, 0.04, 0.14);
  const turns = between(rng, 0.5, 2);
  const call = (t: number): number => base + span * Math.sin((Math.PI * turns * t) / length);
  for (const at of eventTimes(seconds, length * between(rng, 1.3, 3), 0.15, rng)) {
    mixInto(out, shape(tone(length, rate, call), rate, fade(length, 0.01, 0.02)), at, rate, between(rng, 0.5, 1));
  }
  return out;
}

function drum(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const hz = betweenRatios(rng, 55, 220);
  const bend = between(rng, 0.3, 1.5);
  const decay = betweenRatios(rng, 8, 30);
  const snare = between(rng, 0.05, 0.6);
  for (const at of eventTimes(seconds, betweenRatios(rng, 0.18, 0.7), 0.08, rng)) {
    const hit = shape(
      tone(0.4, rate, (t) => hz * (1 + bend * Math.exp(-40 * t))),
      rate,
      decaying(decay),
    );
    const skin = filter(whiteNoise(0.2, rate, rng), rate, 'low', 2500, 0.7);
    mixInto(hit, shape(skin, rate, decaying(2.5 * decay)), 0, rate, snare);
    mixInto(out, hit, at, rate, between(rng, 0.6, 1));
  }
  return out;
}

function engine(seconds: number, rate: number, rng: Rng): Float64Array {
  const hz = betweenRatios(rng, 35, 140);
  const throttle = between(rng, -0.3, 0.5);
  const wobble = between(rng, 4, 14);
  const partials = Array.from({length: 14}, (_, i): Partial => ({
    ratio: i + 1,
    amplitude: between(rng, 0.2, 1) / (i + 1) ** 0.7,
  }));
  const out = tone(seconds, rate, (t) => hz * (1 + (throttle * t) / seconds), partials);
  shape(out, rate, (t) => 0.75 + 0.25 * Math.sin(2 * Math.PI * wobble * t));
  mixInto(out, filter(whiteNoise(seconds, rate, rng), rate, 'low', 900, 0.7), 0, rate, between(rng, 0.2, 1.2));
  return out;
}

function hiHat(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const hz = between(rng, 3500, 6500);
  for (const at of eventTimes(seconds, betweenRatios(rng, 0.1, 0.4), 0.05, rng)) {
    const isOpen = rng.uniform() < 0.25;
    const hit = filter(whiteNoise(0.35, rate, rng), rate, 'high', hz, 1.2);
    mixInto(out, shape(hit, rate, decaying(isOpen ? 10 : between(rng, 35, 80))), at, rate, between(rng, 0.4, 1));
  }
  return out;
}

function organ(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const root = betweenRatios(rng, 130, 280);
  const chord = rng.uniform() < 0.5 ? [1, 5 / 4, 3 / 2] : [1, 6 / 5, 3 / 2, 2];
  const stops = [1, 2, 3, 4, 6, 8].map((ratio): Partial => ({ratio, amplitude: between(rng, 0.1, 1) / ratio ** 0.5}));
  const change = between(rng, 0.4, 1.5);
  for (const at of eventTimes(seconds, change, 0, rng)) {
    const shift = 2 ** (rng.integer(8) / 12);
    const length = Math.min(change, seconds - at);
    for (const note of chord) {
      const sound = tone(length, rate, root * shift * note, stops);
      mixInto(out, shape(sound, rate, fade(length, 0.03, 0.04)), at, rate);
    }
  }
  return out;
}

function pluck(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const root = betweenRatios(rng, 100, 260);
  const damping = between(rng, 0.985, 0.9995);
  for (const at of eventTimes(seconds, betweenRatios(rng, 0.2, 1.2), 0.1, rng)) {
    const hz = root * 2 ** ([0, 3, 5, 7, 10, 12][rng.integer(6)]! / 12);
    mixInto(out, pluckedString(seconds - at, rate, hz, damping, rng), at, rate, between(rng, 0.5, 1));
  }
  return out;
}

function siren(seconds: number, rate: number, rng: Rng): Float64Array {
  const center = betweenRatios(rng, 600, 1000);
  const depth = between(rng, 0.2, 0.45);
  const speed = betweenRatios(rng, 0.4, 4);
  const isTwoTone = rng.uniform() < 0.4;
  const start = rng.uniform();
  const swing = (t: number): number => {
    const wave = Math.sin(2 * Math.PI * (speed * t + start));
    return isTwoTone ? Math.sign(wave) : wave;
  };
  const partials = [1, 2, 3].map((ratio): Partial => ({ratio, amplitude: between(rng, 0.3, 1) / ratio}));
  return tone(seconds, rate, (t) => center * (1 + depth * swing(t)), partials);
}

function sweep(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const low = betweenRatios(rng, 200, 700);
  const factor = betweenRatios(rng, 2.5, 7);
  const isRising = rng.uniform() < 0.5;
  const length = Math.min(seconds, between(rng, 0.25, 1.2));
  const hz = (t: number): number => low * factor ** (isRising ? t / length : 1 - t / length);
  for (const at of eventTimes(seconds, length * between(rng, 1.05, 1.5), 0, rng)) {
    mixInto(out, shape(tone(length, rate, hz), rate, fade(length, 0.01, 0.02)), at, rate);
  }
  return out;
}

function ticks(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const hz = betweenRatios(rng, 900, 3200);
  const decay = betweenRatios(rng, 120, 500);
  for (const at of eventTimes(seconds, betweenRatios(rng, 0.06, 0.5), 0.02, rng)) {
    const click = filter(whiteNoise(0.05, rate, rng), rate, 'band', hz, between(rng, 1, 4));
    mixInto(out, shape(click, rate, decaying(decay)), at, rate, between(rng, 0.6, 1));
  }
  return out;
}

function wind(seconds: number, rate: number, rng: Rng): Float64Array {
  const center = betweenRatios(rng, 250, 1200);
  const depth = between(rng, 0.2, 0.7);
  const speed = between(rng, 0.2, 1.2);
  const start = rng.uniform();
  const gust = (t: number): number => Math.sin(2 * Math.PI * (speed * t + start));
  const out = filter(
    whiteNoise(seconds, rate, rng),
    rate,
    'band',
    (t) => center * 2 ** (depth * gust(t)),
    between(rng, 0.8, 5),
  );
  return shape(out, rate, (t) => 0.6 + 0.4 * gust(t));
}

function voice(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const pitch = betweenRatios(rng, 90, 260);
  const glottis = Array.from({length: 24}, (_, i): Partial => ({ratio: i + 1, amplitude: 1 / (i + 1)}));
  const length = between(rng, 0.12, 0.3);
  for (const at of eventTimes(seconds, length * 1.15, 0.1, rng)) {
    const bend = between(rng, -0.2, 0.2);
    const source = tone(length, rate, (t) => pitch * (1 + (bend * t) / length), glottis);
    const formants = VOWELS[rng.integer(VOWELS.length)] ?? [];
    const syllable = silence(length, rate);
    for (const hz of formants) mixInto(syllable, filter(source, rate, 'band', hz, 8), 0, rate);
    mixInto(out, shape(syllable, rate, fade(length, 0.03, 0.05)), at, rate, between(rng, 0.5, 1));
  }
  return out;
}

/** First three formants in Hz of the vowels in "heed", "head", "had", "hod", "who'd". */
const VOWELS: readonly (readonly number[])[] = [
  [280, 2250, 2900],
  [530, 1850, 2500],
  [660, 1720, 2410],
  [730, 1090, 2440],
  [300, 870, 2240],
];

function rain(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = filter(whiteNoise(seconds, rate, rng), rate, 'high', betweenRatios(rng, 800, 2500), 0.7);
  shape(out, rate, () => 0.25);
  for (const at of eventTimes(seconds, betweenRatios(rng, 0.008, 0.04), 1, rng)) {
    const drop = filter(whiteNoise(0.012, rate, rng), rate, 'band', betweenRatios(rng, 1500, 6000), 3);
    mixInto(out, shape(drop, rate, decaying(350)), at, rate, between(rng, 0.2, 1.5));
  }
  return out;
}

function cricket(seconds: number, rate: number, rng: Rng): Float64Array {
  const out = silence(seconds, rate);
  const hz = betweenRatios(rng, 3200, 5200);
  const pulse = between(rng, 0.012, 0.03);
  for (const at of eventTimes(seconds, between(rng, 0.15, 0.5), 0.1, rng)) {
    for (let n = 0; n < 4; n++) {
      mixInto(out, shape(tone(pulse, rate, hz), rate, fade(pulse, 0.004, 0.004)), at + n * pulse * 1.4, rate);
    }
  }
  return out;
}

function buzzer(seconds: number, rate: number, rng: Rng): Float64Array {
  const hz = betweenRatios(rng, 80, 320);
  const odd = Array.from({length: 16}, (_, i): Partial => ({ratio: 2 * i + 1, amplitude: 1 / (2 * i + 1)}));
  const speed = between(rng, 1, 8);
  const duty = between(rng, 0.5, 0.95);
  return shape(tone(seconds, rate, hz, odd), rate, (t) => ((speed * t) % 1 < duty ? 1 : 0));
}
