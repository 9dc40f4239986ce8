"""The audio front end in numpy and scipy, as fast as it goes without leaving them: the peer of bench/front-end.mjs.

usage: front_end.py PASSES OUT FILTER CLIP...

Makes the log-mel patches of every clip, PASSES times over, into OUT/<number of the clip>.npy. Prints one line of JSON:
the seconds of sound of one pass, and for each pass the processor seconds of every part of the work. FILTER is one of

  poly    scipy.signal.resample_poly with the filter of resampy's kaiser_best, which is a third as long as mixdown's
  same    scipy.signal.resample_poly with mixdown's filter, so that the values can be compared
  matrix  the filter of poly as products of matrices, which nobody would write down without need
"""

import functools
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import scipy.fft
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view
from scipy.io import wavfile

RATE = 16_000
TRIM_DB = 60
WINDOW, HOP, FFT = 400, 160, 512
BANDS, LOW_HZ, HIGH_HZ, OFFSET = 64, 125.0, 7500.0, 0.01
PATCH = 96
# Frames of log-mel worked on at once: their spectra stay in the cache. The best of 64 ... 6000, by 2.7 over all at once.
BLOCK = 128
# Half the length of a filter in samples of the lower rate, its cutoff as a part of their Nyquist frequency, Kaiser's beta.
KAISER_BEST = 64, 0.9475937167399596, 14.769656459379492
MIXDOWN = 202, 0.96, 0.1102 * (240 - 8.7)

PARTS = ("decode", "trim", "resample", "log-mel", "write")


def decode(path):
    rate, samples = wavfile.read(path)
    if samples.dtype == np.int16:
        samples = samples / 32768.0
    return rate, samples if samples.ndim == 1 else samples.mean(axis=1)


def trim(samples, frame=2048, hop=512):
    """librosa.effects.trim with reflection. Frames are whole hops, so each sample is squared once."""
    padded = np.pad(samples, frame // 2, mode="reflect")
    blocks = padded[: len(padded) // hop * hop].reshape(-1, hop)
    energy = np.einsum("ij,ij->i", blocks, blocks)
    power = sliding_window_view(energy, frame // hop).sum(axis=1) / frame
    level = 10 * np.log10(np.maximum(1e-10, power))
    loud = np.flatnonzero(level > level.max() - TRIM_DB)
    return samples[loud[0] * hop : min(len(samples), (loud[-1] + 1) * hop)]


def normalize(samples):
    return samples / np.abs(samples).max()


@functools.cache
def resampling_filter(up, down, shape):
    half_width, cutoff, beta = shape
    reach = half_width * max(up, down)
    return scipy.signal.firwin(2 * reach + 1, cutoff / max(up, down), window=("kaiser", beta))


def resample_poly(samples, up, down, shape):
    return scipy.signal.resample_poly(samples, up, down, window=resampling_filter(up, down, shape))


@functools.cache
def resampling_matrix(up, down, shape):
    """Weights of the samples from `before` ahead of a period of `down` for each of the `up` outputs of that period."""
    taps = up * resampling_filter(up, down, shape)
    reach = len(taps) // 2
    before = reach // up
    width = before + ((up - 1) * down + reach) // up + 1
    at = np.arange(up) * down - (np.arange(width)[:, None] - before) * up + reach
    inside = (at >= 0) & (at < len(taps))
    return before, np.where(inside, taps[np.where(inside, at, 0)], 0)


def resample_matrix(samples, up, down, shape):
    before, matrix = resampling_matrix(up, down, shape)
    count = -(-len(samples) * up // down)
    periods = -(-count // up)
    padded = np.zeros(periods * down + len(matrix))
    padded[before : before + len(samples)] = samples
    windows = sliding_window_view(padded, len(matrix))[::down][:periods]
    return np.concatenate([windows[p : p + BLOCK].copy() @ matrix for p in range(0, periods, BLOCK)]).ravel()[:count]


RESAMPLERS = {
    "poly": functools.partial(resample_poly, shape=KAISER_BEST),
    "same": functools.partial(resample_poly, shape=MIXDOWN),
    "matrix": functools.partial(resample_matrix, shape=KAISER_BEST),
}


def resample(samples, rate, filter):
    if rate != RATE:
        common = np.gcd(rate, RATE)
        up, down = RATE // common, rate // common
        # One sample more comes where the length is no whole number.
        samples = RESAMPLERS[filter](samples, up, down)[: len(samples) * up // down]
    needed = round(0.975 * RATE)
    return samples if len(samples) >= needed else np.resize(samples, needed)


def hz_to_mel(hz):
    return 1127 * np.log(1 + hz / 700)


def mel_matrix():
    mels = hz_to_mel(np.arange(FFT // 2 + 1) * (RATE / FFT))[:, None]
    edges = np.linspace(hz_to_mel(LOW_HZ), hz_to_mel(HIGH_HZ), BANDS + 2)
    low, peak, high = edges[:-2], edges[1:-1], edges[2:]
    matrix = np.maximum(0, np.minimum((mels - low) / (peak - low), (high - mels) / (high - peak)))
    matrix[0] = 0
    return matrix


HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
MEL = mel_matrix()


def log_mel(samples):
    frames = sliding_window_view(samples, WINDOW)[::HOP]
    values = np.empty((len(frames), BANDS))
    for start in range(0, len(frames), BLOCK):
        spectrum = scipy.fft.rfft(frames[start : start + BLOCK] * HANN, FFT, axis=1)
        values[start : start + BLOCK] = np.log(np.abs(spectrum) @ MEL + OFFSET)
    patches = len(values) // PATCH
    return values[: patches * PATCH].reshape(patches, PATCH, BANDS).astype(np.float32)


def one_pass(clips, out, filter):
    spent = dict.fromkeys(PARTS, 0.0)
    seconds = 0.0
    for number, path in enumerate(clips):
        times = [time.process_time()]
        rate, samples = decode(path)
        seconds += len(samples) / rate
        times.append(time.process_time())
        samples = normalize(trim(samples))
        times.append(time.process_time())
        samples = resample(samples, rate, filter)
        times.append(time.process_time())
        patches = log_mel(samples)
        times.append(time.process_time())
        np.save(f"{out}/{number}.npy", patches)
        times.append(time.process_time())
        for part, begin, end in zip(PARTS, times, times[1:]):
            spent[part] += end - begin
    return seconds, spent


def main():
    passes, out, filter, clips = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
    results = [one_pass(clips, out, filter) for _ in range(passes)]
    print(json.dumps({"seconds": results[0][0], "passes": [spent for _, spent in results]}))


main()
