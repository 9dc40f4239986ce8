"""Makes released-pca.json and beta.json beside this file (NumPy, SciPy).

Arguments: a folder of real VGGish vectors of FSDKaggle2018 clips, embeddings_u8_7497x128.bin and index.csv (8-bit, of the
first 0.96 s of each clip), and the released train_post_competition.csv. Only clips under CC0 are taken. The embeddings here
are what those bytes stand for, taken back through the released parameters (vggish_pca_params.npz beside this file,
tensorflow/models, Apache-2.0); NumPy then quantises them as vggish_postprocess.py does.
"""
import base64
import csv
import json
import pathlib
import platform
import sys

import numpy as np
import scipy
from scipy.stats import beta

SEED = 20182
CLIPS = 12
here = pathlib.Path(__file__).parent
data = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(SEED)
provenance = {
    'command': 'python3 test/golden/learning/make-features.py FOLDER CSV',
    'seed': SEED,
    'python': platform.python_version(),
    'numpy': np.__version__,
    'scipy': scipy.__version__,
}


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


with open(data / 'index.csv', encoding='utf-8') as file:
    index = list(csv.DictReader(file))
vectors = np.fromfile(data / 'embeddings_u8_7497x128.bin', dtype=np.uint8).reshape(-1, 128)
released = np.load(here / 'vggish_pca_params.npz')
matrix = released['pca_eigen_vectors']
means = released['pca_means'].reshape(-1, 1)

with open(sys.argv[2], encoding='utf-8') as file:
    free = {row['fname'] for row in csv.DictReader(file) if row['license'] == 'Creative Commons 0'}
usable = [i for i, row in enumerate(index) if row['fname'] in free]
chosen = np.sort(rng.choice(usable, CLIPS, replace=False))
values = vectors[chosen].astype(np.float64) * 4 / 255 - 2 + 4 / 512
embeddings = (np.linalg.solve(matrix, values.T) + means).T.astype(np.float32)
z = (matrix @ (embeddings.T.astype(np.float64) - means)).T
quantized = ((np.clip(z, -2, 2) + 2) * (255 / 4)).astype(np.uint8)
assert np.array_equal(quantized, vectors[chosen])
(here / 'released-pca.json').write_text(
    json.dumps(
        {
            'provenance': provenance,
            'clips': [index[i]['fname'] for i in chosen],
            'embeddings': text(embeddings.astype('<f4')),
            'z': text(z.astype('<f8')),
            'quantized': text(quantized),
            'unit': text(((quantized.astype(np.float32) - 128) / 128).astype('<f4')),
            'whitened': text((quantized.astype(np.float64) * 4 / 255 - 2 + 4 / 512).astype('<f4')),
        },
        indent=1,
    )
    + '\n'
)

points = np.concatenate([np.logspace(-9, -1, 33), np.linspace(0.12, 0.5, 20)])
curves = [
    {'a': a, 'cdf': [float(p) for p in beta.cdf(points, a, a)], 'variance': float(beta.var(a, a))}
    for a in (0.1, 0.2, 0.4, 1.0, 3.0)
]
(here / 'beta.json').write_text(
    json.dumps({'provenance': provenance, 'points': points.tolist(), 'curves': curves}, indent=1) + '\n'
)
