"""Makes pitch-shift.json beside this file (NumPy, SciPy).

Argument: the folder of FSDKaggle2018's clips; those taken here are under CC0. The first second of each, at four other pitches,
as librosa 0.6 shifts them (bench/pitch_shift.py, with angles): `rms`; `absmax`; `s`, samples 5000, 10 000, 22 050, 33 333 and
40 000; `octaves`, the power in dB of the octaves from 125 Hz on, in 16 384 samples from 8192 on under a periodic Hann
window, divided by their number.
"""

import json
import pathlib
import platform
import sys
from fractions import Fraction

import numpy as np
import scipy
from scipy.io import wavfile

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here / "../../../bench"))
from pitch_shift import low_pass, pitch_shift, with_angles

CLIPS = ("Bass_drum/01c2f88b", "Cello/238b16a5", "Saxophone/37cebbd4", "Violin_or_fiddle/21346775")
LENGTH = 44_100
SIZE = 16_384


def octaves(samples, rate):
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)
    power = np.abs(np.fft.rfft(samples[8192 : 8192 + SIZE] * window)) ** 2 / SIZE
    octave = np.floor(np.log2(np.maximum(np.fft.rfftfreq(SIZE, 1 / rate), 1e-9) / 125))
    return [round(float(10 * np.log10(power[octave == k].sum() + 1e-12)), 4) for k in range(7)]


def shift(samples, rate, semitones):
    ratio = Fraction(2 ** (semitones / 12)).limit_denominator(700)
    up, down = ratio.numerator, ratio.denominator
    shifted = pitch_shift(samples, semitones, up, down, low_pass(down, up), with_angles)
    return {
        "semitones": semitones,
        "rms": float(np.sqrt(np.mean(shifted**2))),
        "absmax": float(np.abs(shifted).max()),
        "octaves": octaves(shifted, rate),
        "s": [float(shifted[i]) for i in (5000, 10_000, 22_050, 33_333, 40_000)],
    }


def main():
    clips = []
    for name in CLIPS:
        rate, samples = wavfile.read(f"{sys.argv[1]}/{name.split('/')[1]}.wav")
        samples = samples[:LENGTH] / 32768
        clips.append({"file": f"{name}.wav", "shifts": [shift(samples, rate, n) for n in (5, -7, 12, -12)]})
    provenance = {
        "command": "python3 test/golden/audio/make-pitch-shift.py FOLDER",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }
    (here / "pitch-shift.json").write_text(json.dumps({"provenance": provenance, "clips": clips}, indent=1) + "\n")


main()
