"""Makes the sound files in clips/ and clips.json, what the reference decoders say of them.

Needs sox, flac, oggenc, oggdec, opusenc, opusdec, lame and ffmpeg. Standard library only. Run: python3 make-clips.py
"""

import json
import math
import struct
import subprocess
import tempfile
import wave
from pathlib import Path

HERE = Path(__file__).parent
CLIPS = HERE / 'clips'
STEP = 61


def run(command, **options):
    return subprocess.run(command, shell=True, check=True, cwd=CLIPS, capture_output=True, **options).stdout


def tone(path, rate, channels, seconds):
    """A sweep in each channel, one up and one down, that starts and ends softly."""
    frames = []
    count = round(rate * seconds)
    for i in range(count):
        t = i / count
        level = 0.7 * math.sin(math.pi * t)
        for channel in range(channels):
            sweep = t * t if channel % 2 == 0 else t * (2 - t)
            frames.append(round(32767 * level * math.sin(2 * math.pi * (40 + 5 * channel) * sweep)))
    with wave.open(str(path), 'wb') as file:
        file.setparams((channels, 2, rate, count, 'NONE', ''))
        file.writeframes(struct.pack(f'<{len(frames)}h', *frames))


SOURCES = {'mono': (16000, 1, 0.12), 'stereo': (16000, 2, 0.07)}
LARGER = {'mono44': (44100, 1, 0.1), 'stereo44': (44100, 2, 0.1), 'mono8': (8000, 1, 0.3), 'six48': (48000, 6, 0.1)}

# Name of the file to the command that makes it; SRC is the folder of the larger sources.
COMMANDS = {
    'u8.wav': 'sox -D mono.wav -e unsigned -b 8 u8.wav',
    's24.wav': 'sox -D stereo.wav -b 24 s24.wav vol 0.7',
    's32.wav': 'sox -D stereo.wav -b 32 s32.wav vol 0.7',
    'f32.wav': 'sox -D mono.wav -e float -b 32 f32.wav',
    'f64.wav': 'sox -D stereo.wav -e float -b 64 f64.wav vol 0.7 trim 0 0.03',
    'alaw.wav': 'sox -D mono.wav -e a-law alaw.wav',
    'mulaw.wav': 'sox -D mono.wav -e mu-law mulaw.wav',
    'rifx.wav': 'sox -D -B stereo.wav rifx.wav',
    'rf64.wav': 'ffmpeg -v error -y -i mono.wav -bitexact -rf64 always rf64.wav',
    'pipe.wav': 'ffmpeg -v error -i mono.wav -bitexact -f wav - > pipe.wav',
    'adpcm.wav': 'ffmpeg -v error -y -i SRC/mono44.wav -bitexact -c:a adpcm_ima_wav adpcm.wav',
    'mono8.flac': 'sox -D u8.wav -b 8 SRC/u8s.wav && flac -sf --no-padding SRC/u8s.wav -o mono8.flac',
    'mono16.flac': 'flac -sf --no-padding -b 576 mono.wav -o mono16.flac',
    'stereo16.flac': 'flac -sf --no-padding stereo.wav -o stereo16.flac',
    'stereo24.flac': 'flac -sf --no-padding s24.wav -o stereo24.flac',
    'pipe.flac': 'flac -s --no-padding -c - < mono.wav > pipe.flac',
    'flac.ogg': 'flac -sf --ogg --serial-number=1 --no-padding -b 576 stereo.wav -o flac.ogg',
    'mono.vorbis.ogg': 'oggenc -Q -s 1 -o mono.vorbis.ogg SRC/mono44.wav',
    'stereo.vorbis.ogg': 'oggenc -Q -s 1 -q 2 -o stereo.vorbis.ogg SRC/stereo44.wav',
    'mono.opus': 'opusenc --quiet --serial 1 --padding 0 mono.wav mono.opus',
    'stereo.opus': 'opusenc --quiet --serial 1 --padding 0 SRC/stereo44.wav stereo.opus',
    'six.opus': 'opusenc --quiet --serial 1 --padding 0 SRC/six48.wav six.opus',
    'mono.mp3': 'lame --quiet SRC/mono44.wav mono.mp3',
    'stereo.mp3': 'lame --quiet -b 128 --add-id3v2 --tt title SRC/stereo44.wav stereo.mp3',
    'plain.mp3': 'lame --quiet -t -b 64 SRC/mono44.wav plain.mp3',
    'slow.mp3': 'lame --quiet SRC/mono8.wav slow.mp3',
    'tagged.mp3': 'ffmpeg -v error -y -i SRC/stereo44.wav -bitexact -b:a 64k -metadata title=tone tagged.mp3',
    'stereo.mp2': 'ffmpeg -v error -y -i SRC/stereo44.wav -b:a 96k -c:a mp2 stereo.mp2',
    'stereo.aiff': 'sox -D stereo.wav stereo.aiff',
    'stereo.m4a': 'ffmpeg -v error -y -i SRC/stereo44.wav -bitexact -b:a 64k stereo.m4a',
}

# Name of the file to the command that prints its samples as raw little-endian float32.
FFMPEG = 'ffmpeg -v error -i {0} -f f32le -'
SOX = 'sox {0} -t f32 -'
DECODERS = {
    'mono.wav': FFMPEG,
    'stereo.wav': FFMPEG,
    'u8.wav': FFMPEG,
    's24.wav': FFMPEG,
    's32.wav': FFMPEG,
    'f32.wav': FFMPEG,
    'f64.wav': FFMPEG,
    'alaw.wav': SOX,
    'mulaw.wav': SOX,
    'rifx.wav': SOX,
    'rf64.wav': FFMPEG,
    'pipe.wav': FFMPEG,
    'mono.vorbis.ogg': 'oggdec -Q -R -o - {0} | sox -t s16 -r 44100 -c 1 - -t f32 -',
    'stereo.vorbis.ogg': 'oggdec -Q -R -o - {0} | sox -t s16 -r 44100 -c 2 - -t f32 -',
    'mono.opus': 'opusdec --quiet --float --rate 48000 --no-dither {0} SRC/out.wav && sox SRC/out.wav -t f32 -',
    'stereo.opus': 'opusdec --quiet --float --rate 48000 --no-dither {0} SRC/out.wav && sox SRC/out.wav -t f32 -',
    'six.opus': 'opusdec --quiet --float --rate 48000 --no-dither {0} SRC/out.wav && sox SRC/out.wav -t f32 -',
    'mono.mp3': FFMPEG,
    'stereo.mp3': FFMPEG,
    'plain.mp3': FFMPEG,
    'slow.mp3': FFMPEG,
    'tagged.mp3': FFMPEG,
    'stereo.mp2': FFMPEG,
}
TWO = ('stereo', 's24', 's32', 'f64', 'rifx', 'tagged')


def main():
    CLIPS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, form in SOURCES.items():
            tone(CLIPS / f'{name}.wav', *form)
        for name, form in LARGER.items():
            tone(Path(folder) / f'{name}.wav', *form)
        for command in COMMANDS.values():
            run(command.replace('SRC', folder))
        decoded = {}
        for name, command in DECODERS.items():
            raw = run(command.format(name).replace('SRC', folder))
            values = struct.unpack(f'<{len(raw) // 4}f', raw)
            count = 6 if name.startswith('six') else 2 if name.startswith(TWO) else 1
            # opusdec puts the channels of Opus in the order of WAV.
            order = (0, 2, 1, 4, 5, 3) if count == 6 else range(count)
            channels = [values[c::count] for c in order]
            decoded[name] = {
                'decoder': command.split()[0],
                'length': len(channels[0]),
                'samples': [[round(value, 7) for value in channel[::STEP]] for channel in channels],
            }
    (HERE / 'clips.json').write_text(json.dumps({'step': STEP, 'decoded': decoded}, separators=(',', ':')) + '\n')


main()
