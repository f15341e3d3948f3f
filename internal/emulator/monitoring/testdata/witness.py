"""Computes what the tests compare with: witness.json, by scipy and scikit-learn; importance.json, by LightGBM and SHAP;
table.parquet, by pyarrow. Run with those installed: python witness.py"""

import datetime
import json
import random

import lightgbm
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import shap
from scipy.spatial import distance
from scipy.stats import chi2, chisquare, ks_2samp, wasserstein_distance
from sklearn.metrics import accuracy_score, ndcg_score, precision_score, recall_score

rnd = random.Random(7)


def sample(n, mean, dev, digits):
    return [round(rnd.gauss(mean, dev), digits) for _ in range(n)]


pairs = [
    (sample(60, 0, 1, 3), sample(40, 0.5, 1, 3)),
    (sample(100, 5, 2, 1), sample(100, 5, 2, 1)),  # with ties
    (sample(30, 0, 1, 2), sample(7, 3, 1, 2)),
    (sample(200, 0, 1, 4), sample(150, 4, 1, 4)),  # far apart
    (sample(50, 100, 15, 0), sample(333, 101, 15, 0)),
    ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
]


def edges(a, b):
    low, high = min(a + b), max(a + b)
    bins = int(np.ceil(np.log2(min(len(a), len(b))) + 1))
    return [low + i * (high - low) / bins for i in range(bins)] + [high]


def psi(x, y):
    x, y = np.array(x) + 1, np.array(y) + 1
    x, y = x / x.sum(), y / y.sum()
    return float(((y - x) * np.log(y / x)).sum())


numbers = []
for a, b in pairs:
    e = edges(a, b)
    x, y = np.histogram(a, e)[0], np.histogram(b, e)[0]
    numbers.append(
        {
            "reference": a,
            "production": b,
            "NormalizedWassersteinDistance": wasserstein_distance(a, b) / max(np.std(a, ddof=1), 0.001),
            "JensenShannonDistance": float(distance.jensenshannon(x, y, base=2)),
            "PopulationStabilityIndex": psi(x, y),
            "TwoSampleKolmogorovSmirnovTest": float(ks_2samp(a, b).pvalue),
        }
    )
categories = []
for a, b in [({"a": 50, "b": 30, "c": 20}, {"a": 40, "b": 40, "c": 20}), ({"x": 10, "y": 90}, {"x": 11, "y": 80, "z": 3}), ({"x": 10, "y": 90}, {"y": 70}), ({"p": 7, "q": 7, "r": 7, "s": 7, "t": 1}, {"p": 700, "q": 720, "r": 690, "s": 705, "t": 100})]:
    keys = sorted(set(a) | set(b))
    x, y = [a.get(k, 0) for k in keys], [b.get(k, 0) for k in keys]
    expected = [n / sum(x) * sum(y) for n in x]
    with np.errstate(divide="ignore"):
        p = float(chisquare(y, expected).pvalue)
    categories.append({"reference": a, "production": b, "JensenShannonDistance": float(distance.jensenshannon(x, y, base=2)), "PopulationStabilityIndex": psi(x, y), "PearsonsChiSquaredTest": p})
tails = [{"k": k, "x": x, "q": float(chi2.sf(x, k))} for k in (1, 2, 5, 30, 300) for x in (0.01, 0.5, 3, 10, 45, 310, 900)]
gains = []
for a, b in [([3, 2, 3, 0, 1, 2], [0.9, 0.8, 0.1, 0.2, 0.7, 0.3]), ([0.5, 0.1, 0, 0, 0.2], [0, 0, 0, 0.4, 0.1]), ([1, 2, 3], [1, 2, 3])]:
    gains.append({"relevance": a, "scores": b, "value": float(ndcg_score([a], [b]))})
truth = [rnd.choice("abc") for _ in range(60)]
said = [t if rnd.random() < 0.7 else rnd.choice("abd") for t in truth]
right = {
    "truth": truth,
    "said": said,
    "Accuracy": float(accuracy_score(truth, said)),
    "Precision": float(precision_score(truth, said, average="macro", zero_division=0)),
    "Recall": float(recall_score(truth, said, average="macro", zero_division=0)),
}
json.dump({"numbers": numbers, "categories": categories, "tails": tails, "gains": gains, "right": right}, open("witness.json", "w"), indent=1)

# Rows of which some features matter much, some little, some not at all; learned as the service's component learns.
rng = np.random.default_rng(3)
n = 800
frame = pandas.DataFrame(
    {
        "amount": rng.gamma(2, 50, n).round(2),
        "age": rng.integers(18, 90, n),
        "noise": rng.normal(size=n).round(3),
        "kind": rng.choice(["a", "b", "c", "d"], n, p=[0.4, 0.3, 0.2, 0.1]),
        "hour": rng.uniform(0, 24, n).round(2),
    }
)
score = 0.03 * frame["amount"] - 0.02 * frame["age"] + frame["kind"].map({"a": 0, "b": 1.2, "c": -1.2, "d": 2}) + 0.15 * rng.normal(size=n)
frame["value"] = score.round(4)
frame["fraud"] = (score > score.median()).astype(int)
frame["class"] = pandas.cut(score, [-99, score.quantile(0.33), score.quantile(0.66), 99], labels=["low", "mid", "high"]).astype(str)
frame.to_csv("importance.csv", index=False)
x = frame[["amount", "age", "noise", "kind", "hour"]].copy()
x["kind"] = x["kind"].astype("category")
out = {}
for target, model in [("value", lightgbm.LGBMRegressor), ("fraud", lightgbm.LGBMClassifier), ("class", lightgbm.LGBMClassifier)]:
    m = model(boosting_type="gbdt", learning_rate=0.1, max_depth=5, n_estimators=200, n_jobs=1, random_state=777, verbose=-1).fit(x, frame[target])
    values = shap.TreeExplainer(m).shap_values(x)
    values = np.abs(np.array(values))
    if values.ndim == 3:
        values = values.sum(axis=2) if values.shape[2] != len(x.columns) else values.sum(axis=0)
    out[target] = dict(zip(x.columns, values.mean(axis=0).round(5).tolist()))
json.dump(out, open("importance.json", "w"), indent=1)

table = pa.table(
    {
        "whole": pa.array([1, 2, None, 4], pa.int32()),
        "long": pa.array([1 << 40, 2, 3, 4], pa.int64()),
        "number": pa.array([0.5, float("nan"), None, 2.5], pa.float64()),
        "short": pa.array([0.5, 1.5, 2.5, 3.5], pa.float32()),
        "truth": pa.array([True, False, None, True]),
        "text": pa.array(["a", "ü", None, ""]),
        "words": pa.array(["x", "x", "y", "x"]).dictionary_encode(),
        "day": pa.array([datetime.date(2024, 2, 29)] * 4),
        "moment": pa.array([datetime.datetime(2024, 2, 29, 12, 30, 15)] * 4, pa.timestamp("us")),
        "money": pa.array([__import__("decimal").Decimal("-12.34")] * 4, pa.decimal128(9, 2)),
        "list": pa.array([[1, 2], [], None, [3]]),
    }
)
pq.write_table(table, "table.parquet", compression="snappy", row_group_size=3)
