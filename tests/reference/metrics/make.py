"""Writes cases.json: random predictions and the values that scikit-learn gives for them.

Run `python make.py` in an environment with scikit-learn 1.9.1; the tests only read the result.
"""

import json
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import metrics as sk

AVERAGES = ("binary", "macro", "micro", "weighted")
RATIOS = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


def classification(random: Any, n: Any, C: Any, weighted: Any, sharp: Any) -> Any:
    truth = random.integers(0, C, n)
    truth[:C] = np.arange(C)  # every class is there: scikit-learn refuses or warns otherwise
    scores = random.standard_normal((n, C))
    scores[np.arange(n), truth] += sharp
    # Two digits make ties, which ranks have to share.
    y = np.maximum(np.exp(scores), 0.005)
    y = np.round(y / y.sum(axis=1, keepdims=True), 2)
    y[:, 0] += 1 - y.sum(axis=1)
    y = np.round(y, 2)
    w = np.round(random.uniform(0.1, 3, n), 2) if weighted else None
    d, labels, one_hot = y.argmax(axis=1), np.arange(C), np.eye(C)[truth]
    call = {"sample_weight": w}
    values = {
        "accuracy": sk.accuracy_score(truth, d, **call),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, d, **call),
        "matthews": sk.matthews_corrcoef(truth, d, **call),
        "log_loss": sk.log_loss(truth, y, labels=labels, **call),
        "brier": sk.brier_score_loss(truth, y[:, 1] if C == 2 else y, **call),
        "roc_auc": sk.roc_auc_score(truth, y[:, 1], **call) if C == 2
        else np.mean([sk.roc_auc_score(one_hot[:, c], y[:, c], **call) for c in labels]),
    }  # fmt: skip
    untied = y - 1e-9 * labels  # scikit-learn ranks the later of equal scores first, nnctl the earlier
    for k in range(1, C):
        score = untied[:, 1] - untied[:, 0] if C == 2 else untied
        values[f"top_{k}_accuracy"] = (
            values["accuracy"] if k == 1 else sk.top_k_accuracy_score(truth, score, k=k, labels=labels, **call)
        )
    values |= ratios(truth, d, AVERAGES if C == 2 else AVERAGES[1:], call)
    for threshold in (0.305, 0.705) if C == 2 else ():
        values |= ratios(truth, (y[:, 1] > threshold).astype(int), AVERAGES, call, f"_at_{threshold}")
    by_class = {name: f(truth, d, average=None, zero_division=0, **call).tolist() for name, f in RATIOS.items()}
    matrix = sk.confusion_matrix(truth, d, labels=labels, **call).tolist()
    return {"task": "classification", "outputs": y.tolist(), "truth": truth.tolist(), "weights": w, "values": values,
            "by_class": by_class, "confusion": matrix}  # fmt: skip


def multilabel(random: Any, n: Any, k: Any, weighted: Any) -> Any:
    truth = random.integers(0, 2, (n, k))
    y = np.round(1 / (1 + np.exp(-(random.standard_normal((n, k)) + 2 * truth - 1))), 2).clip(0.01, 0.99)
    w = np.round(random.uniform(0.1, 3, n), 2) if weighted else None
    d, call = (y > 0.5).astype(int), {"sample_weight": w}
    columns = [(truth[:, j], y[:, j]) for j in range(k)]
    values = {
        "subset_accuracy": sk.accuracy_score(truth, d, **call),
        "hamming_accuracy": 1 - sk.hamming_loss(truth, d, **call),
        "log_loss": np.mean([sk.log_loss(t, v, labels=[0, 1], **call) for t, v in columns]),
        "brier": np.mean([sk.brier_score_loss(t, v, **call) for t, v in columns]),
        "roc_auc": sk.roc_auc_score(truth, y, **call),
    }
    values |= ratios(truth, d, AVERAGES[1:], call)
    values |= ratios(truth, (y > 0.305).astype(int), AVERAGES[1:], call, "_at_0.305")
    by_class = {name: f(truth, d, average=None, zero_division=0, **call).tolist() for name, f in RATIOS.items()}
    matrix = sk.multilabel_confusion_matrix(truth, d, **call).tolist()
    return {"task": "multilabel", "outputs": y.tolist(), "truth": truth.tolist(), "weights": w, "values": values,
            "by_class": by_class, "confusion": matrix}  # fmt: skip


def regression(random: Any, n: Any, k: Any, weighted: Any) -> Any:
    truth = np.round(10 * random.standard_normal((n, k)), 3)
    truth[truth == 0] = 1.0
    y = np.round(truth + 4 * random.standard_normal((n, k)), 3)
    w = np.round(random.uniform(0.1, 3, n), 2) if weighted else None
    functions = {
        "mae": sk.mean_absolute_error,
        "mse": sk.mean_squared_error,
        "rmse": sk.root_mean_squared_error,
        "r2": sk.r2_score,
        "mape": sk.mean_absolute_percentage_error,
    }
    values = {name: f(truth, y, sample_weight=w) for name, f in functions.items()}
    by_class = {name: f(truth, y, sample_weight=w, multioutput="raw_values").tolist() for name, f in functions.items()}
    by_class["max_error"] = [sk.max_error(truth[:, j], y[:, j]) for j in range(k)]
    values["max_error"] = np.mean(by_class["max_error"])
    return {"task": "regression", "outputs": y.tolist(), "truth": truth.tolist(), "weights": w, "values": values,
            "by_class": by_class}  # fmt: skip


def ratios(truth: Any, decided: Any, averages: Any, call: Any, suffix: Any = "") -> Any:
    return {
        f"{average}_{name}{suffix}": f(truth, decided, average=average, zero_division=0, **call)
        for name, f in RATIOS.items()
        for average in averages
    }


def main() -> None:
    warnings.simplefilter("error")
    cases = []
    for i, weighted in enumerate((False, True) * 2):
        sharp = (0.3, 2.0)[i // 2]
        makers = [partial(classification, n=n, C=C, weighted=weighted, sharp=sharp)
                  for n, C in ((12, 2), (40, 2), (25, 3), (60, 5))]  # fmt: skip
        makers += [partial(multilabel, n=n, k=k, weighted=weighted) for n, k in ((20, 2), (30, 4))]
        makers += [partial(regression, n=n, k=k, weighted=weighted) for n, k in ((10, 1), (25, 3))]
        cases += [make(np.random.default_rng((i, j))) for j, make in enumerate(makers)]
    text = ",\n".join(json.dumps(case, default=lambda v: v.tolist()) for case in cases)
    Path(__file__).with_name("cases.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
