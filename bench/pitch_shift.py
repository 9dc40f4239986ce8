"""Pitch shift in numpy and scipy, the peer of bench/pitch-shift.mjs.

    python3 bench/pitch_shift.py CLIP RATE UP DOWN RUNS OUT

CLIP is a file of float64 samples. UP / DOWN is the ratio of the pitches. Both ways of writing the phase vocoder run in turns,
RUNS times after one to warm up: as librosa 0.6 writes it (a loop over the frames, vectorised over the bins), and as one
cumulative sum over the frames of a block. Prints the processor times of each, in ms, as JSON; OUT receives the result.
"""

import json
import sys
import time

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


def vocoder_by_loop(spectra, rate):
    """librosa 0.6, with the bins of a frame beside each other in memory and each frame's angle and magnitude taken once."""
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


def vocoder_by_sum(spectra, rate):
    """The same without angles: a frame's unit phasor is turned by the products of its neighbours' phasors."""
    steps = np.arange(0, len(spectra), rate)
    at = steps.astype(int)
    alpha = (steps - at)[:, None]
    sizes = np.abs(spectra)
    units = np.divide(spectra, sizes, out=np.ones_like(spectra), where=sizes > 0)
    sizes = np.concatenate([sizes, np.zeros((2, BINS))])
    units = np.concatenate([units, np.ones((2, BINS))])
    turns = np.empty((len(steps), BINS), complex)
    turns[0] = units[0]
    np.multiply(units[at[:-1] + 1], np.conj(units[at[:-1]]), out=turns[1:])
    np.cumprod(turns, axis=0, out=turns)
    turns *= (1 - alpha) * sizes[at] + alpha * sizes[at + 1]
    return turns


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


def pitch_shift(samples, up, down, vocoder):
    # The pitch rises by up / down: the sound is stretched by that, then resampled by down / up.
    length = -(-len(samples) * up // down)
    stretched = synthesise(vocoder(analyse(samples), down / up), length)
    return resample_poly(stretched, down, up, window=low_pass(down, up))[: len(samples)]


def main():
    clip, up, down, runs, out = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
    samples = np.fromfile(clip)
    times = {"loop": [], "sum": []}
    for run in range(runs + 1):
        for name, vocoder in (("loop", vocoder_by_loop), ("sum", vocoder_by_sum)):
            before = time.process_time()
            shifted = pitch_shift(samples, up, down, vocoder)
            if run > 0:
                times[name].append((time.process_time() - before) * 1000)
    shifted.tofile(out)
    print(json.dumps(times))


main()
