"""Makes the .json files beside this file (scikit-learn, SciPy): python3 test/golden/statistics/make.py"""
import json
import pathlib
import platform

import numpy as np
import scipy.special
import scipy.stats
import sklearn
from sklearn.metrics import average_precision_score, roc_auc_score

SEED = 20183
here = pathlib.Path(__file__).parent
rng = np.random.default_rng(SEED)
provenance = {
    'command': 'python3 test/golden/statistics/make.py',
    'seed': SEED,
    'python': platform.python_version(),
    'numpy': np.__version__,
    'scipy': scipy.__version__,
    'scikit-learn': sklearn.__version__,
}


def write(name, content):
    (here / name).write_text(json.dumps({'provenance': provenance, **content}, separators=(',', ':')) + '\n')


def apk(actual, predicted, k=3):
    """ml_metrics.apk (Ben Hamner's Metrics), for lists without duplicates."""
    if not actual:
        return 0.0
    hits, score = 0, 0.0
    for i, p in enumerate(predicted[:k]):
        if p in actual:
            hits += 1
            score += hits / (i + 1)
    return score / min(len(actual), k)


def defined(score, truth, scores):
    return None if truth.all() or not truth.any() else float(score(truth, scores))


# Clips with 0 to 4 of 14 classes; class 3 has no clip, class 5 has all. Scores in thousandths, of which a third are 0 or 1.
clips, classes = 160, 14
truth = np.zeros((clips, classes), dtype=bool)
for row in truth:
    row[rng.choice([c for c in range(classes) if c != 3], size=rng.integers(0, 5), replace=False)] = True
truth[:, 5] = True
truth[0] = False
truth[0, 5] = True
scores = np.clip(rng.normal(0.3, 0.4, truth.shape) + 0.3 * truth, 0, 1)
scores = np.round(scores, 3).astype(np.float32)
order = np.argsort(-scores, axis=1, kind='stable')
owns = [set(np.flatnonzero(row)) for row in truth]
ap3 = [apk(own, list(ranked)) for own, ranked in zip(owns, order)]
write(
    'multi-label.json',
    {
        'thousandths': np.round(scores * 1000).astype(int).tolist(),
        'truth': [sorted(int(c) for c in own) for own in owns],
        'ap': [
            float(average_precision_score(truth[:, c], scores[:, c])) if truth[:, c].any() else None
            for c in range(classes)
        ],
        'auc': [defined(roc_auc_score, truth[:, c], scores[:, c]) for c in range(classes)],
        'map3': float(np.mean(ap3)),
        'ap3': [
            float(np.mean([ap3[i] for i in range(clips) if truth[i, c]])) if truth[:, c].any() else None
            for c in range(classes)
        ],
        'accuracy': float(np.mean([order[i, 0] in owns[i] for i in range(clips)])),
    },
)

points = [0, 1e-9, 0.01, 0.3, 0.7, 1, 1.645, 1.959964, 2, 2.5, 3, 4, 5.5, 8, 12, 20, 37]
freedoms = [1, 2, 3, 5, 10, 30, 40, 100, 526, 5000, 1e6]
write(
    'tails.json',
    {
        'student': [[t, df, float(scipy.stats.t.sf(t, df))] for df in freedoms for t in points],
        'normal': [[z, float(scipy.stats.norm.sf(z))] for z in points],
        'beta': [
            [a, b, x, float(scipy.special.betainc(a, b, x))]
            for a in [0.1, 0.5, 1, 4.5, 20, 263, 1000]
            for b in [0.1, 0.5, 1, 4.5, 20, 263, 1000]
            for x in [1e-6, 0.01, 0.25, 0.5, 0.75, 0.99]
        ],
    },
)


def differences(name, values):
    values = np.round(np.asarray(values, dtype=np.float64), 6)
    t = scipy.stats.ttest_1samp(values, 0)
    n = np.count_nonzero(values)
    exact = n <= 50 and len(set(np.abs(values[values != 0]))) == n
    kept = values[values != 0]
    one = min(scipy.stats.wilcoxon(kept, mode='exact' if exact else 'approx', alternative=side).pvalue for side in ['less', 'greater'])
    both = scipy.stats.wilcoxon(kept, mode='exact' if exact else 'approx')
    return {
        'name': name,
        'values': values.tolist(),
        't': float(t.statistic),
        'twoSided': float(t.pvalue),
        'oneSided': float(scipy.stats.t.sf(abs(t.statistic), len(values) - 1)),
        'wilcoxon': {'exact': bool(exact), 'statistic': float(both.statistic), 'oneSided': float(one), 'twoSided': float(both.pvalue)},
    }


write(
    'paired.json',
    {
        'cases': [
            differences('two pairs', [0.1, -0.3]),
            differences('five pairs', [0.1, 0.2, -0.05, 0.3, 0.15]),
            differences('41 classes', rng.normal(0.005, 0.03, 41)),
            differences('41 classes, far apart', rng.normal(0.2, 0.03, 41)),
            differences('50 classes', rng.normal(0, 0.1, 50)),
            differences('51 classes', rng.normal(0.01, 0.1, 51)),
            differences('527 classes', rng.normal(0.0007, 0.02, 527)),
            differences('527 classes, far apart', rng.normal(0.01, 0.02, 527)),
            differences('120 with ties and zeros', rng.integers(-3, 5, 120) / 6),
        ]
    },
)
