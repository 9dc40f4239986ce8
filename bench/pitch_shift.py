"""Pitch shift in numpy and scipy, as fast as it goes without leaving them: the peer of bench/pitch-shift.mjs.

usage: pitch_shift.py CLIP SEMITONES UP DOWN RUNS OUT

CLIP is a file of float64 samples; UP / DOWN is about 2^(SEMITONES / 12). Two ways of writing the phase vocoder take turns,
RUNS times after one to warm up: with angles, as librosa 0.6 has it, and with products of unit phasors, as mixdown has it.
Both go frame by frame, vectorised over the bins: whole-array operations (a cumulative product) leave the cache and took half
as long again. Prints one line of JSON: the processor seconds of every run of each. Writes float64 samples to OUT.
"""

import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
from scipy.fft import irfft, rfft
from scipy.signal import resample_poly

SIZE = 2048
HOP = 512
WINDOW = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)
BINS = SIZE // 2 + 1
ADVANCE = np.linspace(0, np.pi * HOP, BINS)
# kaiser_best of resampy 0.2: 64 zero crossings.
CROSSINGS = 64
BETA = 14.769656459379492
ROLL_OFF = 0.9475937167399596


def analyse(samples):
    padded = np.pad(samples, SIZE // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    return rfft(frames * WINDOW, axis=1)


def with_angles(spectra, rate):
    """Each frame's angles and sizes are taken once, which librosa does not."""
    steps = np.arange(0, len(spectra), rate)
    blank = np.zeros((2, BINS))
    angles = np.concatenate([np.angle(spectra), blank])
    sizes = np.concatenate([np.abs(spectra), blank])
    stretched = np.empty((len(steps), BINS), complex)
    phase = angles[0].copy()
    for t, step in enumerate(steps):
        i = int(step)
        alpha = step - i
        size = (1 - alpha) * sizes[i] + alpha * sizes[i + 1]
        stretched[t].real = size * np.cos(phase)
        stretched[t].imag = size * np.sin(phase)
        turn = angles[i + 1] - angles[i] - ADVANCE
        turn -= 2 * np.pi * np.round(turn / (2 * np.pi))
        phase += ADVANCE + turn
    return stretched


def with_products(spectra, rate):
    steps = np.arange(0, len(spectra), rate)
    stretched = np.empty((len(steps), BINS), complex)

    def polar(i):
        if i >= len(spectra):
            return np.zeros(BINS), np.ones(BINS, complex)
        size = np.abs(spectra[i])
        return size, np.divide(spectra[i], size, out=np.ones(BINS, complex), where=size > 0)

    at = 0
    here, after = polar(0), polar(1)
    phasor = here[1].copy()
    turn = after[1] * np.conj(here[1])
    for t, step in enumerate(steps):
        i = int(step)
        if i != at:
            here = after if i == at + 1 else polar(i)
            after = polar(i + 1)
            turn = after[1] * np.conj(here[1])
            at = i
        alpha = step - i
        np.multiply((1 - alpha) * here[0] + alpha * after[0], phasor, out=stretched[t])
        phasor *= turn
    return stretched


def synthesise(spectra, length):
    frames = irfft(spectra, SIZE, axis=1) * WINDOW
    total = np.zeros(HOP * (len(frames) + SIZE // HOP - 1))
    weight = np.zeros_like(total)
    # Each hop's worth of every frame at once: SIZE / HOP additions of whole arrays.
    for part in range(SIZE // HOP):
        span = slice(part * HOP, (part + len(frames)) * HOP)
        total[span] += frames[:, part * HOP : (part + 1) * HOP].ravel()
        weight[span] += np.tile(WINDOW[part * HOP : (part + 1) * HOP] ** 2, len(frames))
    body = slice(SIZE // 2, SIZE // 2 + length)
    return total[body] / weight[body]


def low_pass(up, down):
    """The taps of kaiser_best for resample_poly."""
    widest = max(up, down)
    reach = CROSSINGS * widest
    u = np.arange(-reach, reach + 1) / widest
    taps = ROLL_OFF * np.sinc(ROLL_OFF * u) * np.i0(BETA * np.sqrt(1 - (u / CROSSINGS) ** 2)) / np.i0(BETA)
    return taps / widest


def pitch_shift(samples, semitones, up, down, taps, vocoder):
    # Stretched by the ratio of the pitches, then read that much faster.
    length = -(-len(samples) * up // down)
    stretched = synthesise(vocoder(analyse(samples), 2 ** (-semitones / 12)), length)
    return resample_poly(stretched, down, up, window=taps)[: len(samples)]


def main():
    clip, semitones, up, down, runs, out = sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6]
    samples = np.fromfile(clip)
    taps = low_pass(down, up)
    seconds = {"angles": [], "products": []}
    for run in range(runs + 1):
        for name, vocoder in (("angles", with_angles), ("products", with_products)):
            start = time.process_time()
            shifted = pitch_shift(samples, semitones, up, down, taps, vocoder)
            if run > 0:
                seconds[name].append(time.process_time() - start)
    shifted.tofile(out)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
