"""Makes metrics.json, pca.json, quantized.json and npz.json beside this file (scikit-learn, NumPy, SciPy).

vggish_pca_params.npz, read here, is the file released with VGGish (tensorflow/models, Apache-2.0), unchanged.
"""
import base64
import io
import json
import pathlib
import platform

import numpy as np
import scipy.stats
import sklearn
from sklearn.metrics import average_precision_score, roc_auc_score

SEED = 20181
here = pathlib.Path(__file__).parent
rng = np.random.default_rng(SEED)
provenance = {
    'command': 'python3 test/golden/learning/make.py',
    'seed': SEED,
    'python': platform.python_version(),
    'numpy': np.__version__,
    'scipy': scipy.__version__,
    'scikit-learn': sklearn.__version__,
}


def rounded(values):
    return [round(float(v), 3) for v in values]


def metric_case(name, scores, truth):
    scores = np.asarray(scores, dtype=np.float64)
    truth = np.asarray(truth, dtype=int)
    return {
        'name': name,
        'scores': scores.tolist(),
        'truth': truth.tolist(),
        'ap': average_precision_score(truth, scores),
        'auc': roc_auc_score(truth, scores),
    }


cases = [
    metric_case('distinct', rounded(rng.permutation(40) / 41), rng.random(40) < 0.3),
    metric_case('many ties', rng.integers(0, 4, 60) / 4, rng.random(60) < 0.4),
    metric_case('all equal', np.full(10, 0.5), [1, 0, 0, 1, 0, 0, 0, 0, 0, 1]),
    metric_case('perfect', [0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0]),
    metric_case('reversed', [0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]),
    metric_case('saturated', np.r_[np.ones(12), rounded(rng.random(20))], rng.random(32) < 0.5),
]
points = [1e-300, 1e-20, 1e-6, 0.01, 0.0749, 0.0751, 0.25, 0.5, 0.6, 0.93426, 0.96262, 0.999999]
quantiles = [{'p': p, 'x': float(scipy.stats.norm.ppf(p))} for p in points]
(here / 'metrics.json').write_text(
    json.dumps({'provenance': provenance, 'cases': cases, 'quantiles': quantiles}, indent=1) + '\n'
)

mixing = rng.normal(size=(5, 5)) * [3, 2, 1, 0.5, 0.1]
data = np.round(rng.normal(size=(40, 5)) @ mixing.T + [1, -2, 0.5, 0, 3], 4)
covariance = np.cov(data, rowvar=False)
values, vectors = np.linalg.eigh(covariance)
values, vectors = values[::-1], vectors[:, ::-1].T
vectors = np.array([v * np.sign(v[np.argmax(np.abs(v))]) for v in vectors])
(here / 'pca.json').write_text(
    json.dumps(
        {
            'provenance': provenance,
            'data': data.tolist(),
            'means': data.mean(axis=0).tolist(),
            'covariance': covariance.tolist(),
            'values': values.tolist(),
            'vectors': vectors.tolist(),
        },
        indent=1,
    )
    + '\n'
)

released = np.load(here / 'vggish_pca_params.npz')
i, k = np.meshgrid(np.arange(6), np.arange(128), indexing='ij')
embeddings = (((i * 31 + k * 17) % 101) / 101 - 0.5).astype(np.float32)
z = (released['pca_eigen_vectors'] @ (embeddings.T.astype(np.float64) - released['pca_means'].reshape(-1, 1))).T
quantized = ((np.clip(z, -2, 2) + 2) * (255 / 4)).astype(np.uint8)
(here / 'quantized.json').write_text(
    json.dumps(
        {
            'provenance': provenance,
            'embeddings': 'float32((((31 i + 17 k) mod 101) / 101) - 0.5), i = 0..5, k = 0..127',
            'quantized': quantized.tolist(),
        }
    )
    + '\n'
)


def archive(save):
    buffer = io.BytesIO()
    save(buffer, ints=np.arange(6, dtype=np.int32).reshape(2, 3), halves=np.arange(4) / 2)
    return base64.b64encode(buffer.getvalue()).decode()


(here / 'npz.json').write_text(
    json.dumps(
        {'provenance': provenance, 'stored': archive(np.savez), 'deflated': archive(np.savez_compressed)}, indent=1
    )
    + '\n'
)
