"""Makes paired-means.json beside this file (SciPy): python3 test/golden/statistics/paired-means.py"""
import json
import pathlib
import platform

import numpy as np
import scipy.stats

SEED = 20184
RESAMPLES = 1_000_000
here = pathlib.Path(__file__).parent
rng = np.random.default_rng(SEED)


def mean(values, axis=-1):
    return np.mean(values, axis=axis)


def case(name, values):
    values = np.array(values, dtype=float)
    interval = scipy.stats.bootstrap(
        (values,), mean, n_resamples=RESAMPLES, batch=20_000, method='BCa', random_state=SEED
    ).confidence_interval
    test = scipy.stats.permutation_test(
        (values,), mean, permutation_type='samples', vectorized=True, n_resamples=np.inf, alternative='two-sided'
    )
    return {
        'name': name,
        'values': values.tolist(),
        'low': float(interval.low),
        'high': float(interval.high),
        'p': float(test.pvalue),
    }


folds = rng.normal(0.01, 0.02, size=5).round(4)
cases = [
    case('six folds', [0.012, 0.004, 0.021, 0.009, -0.003, 0.015]),
    case('ten folds, no effect', rng.normal(0, 0.02, size=10).round(4)),
    case('five folds times three seeds', (folds[:, None] + rng.normal(0, 0.005, size=(5, 3)).round(4)).ravel()),
    case('skewed', rng.exponential(1, size=12).round(3) - 0.25),
    case('skewed to the left, large', 1e6 - rng.lognormal(0, 1, size=14).round(2) * 1e5),
    case('few different values', [0, 0, 0, 1, 1, -1, 0, 1]),
    case('one far out', [0.1, 0.11, 0.09, 0.1, 0.12, 0.08, 3]),
]
provenance = {
    'command': 'python3 test/golden/statistics/paired-means.py',
    'seed': SEED,
    'resamples': RESAMPLES,
    'python': platform.python_version(),
    'numpy': np.__version__,
    'scipy': scipy.__version__,
}
(here / 'paired-means.json').write_text(
    json.dumps({'provenance': provenance, 'cases': cases}, separators=(',', ':')) + '\n'
)
