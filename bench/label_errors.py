"""How many labels confident learning doubts where none is wrong, and how many wrong ones it finds.

Two classes by scikit-learn's `make_classification`, probabilities by cross-validation, with and without wrong labels.
Doubts are those of `label_quality`, by the measures' twins: python bench/label_errors.py
"""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from sparkguard.checks.label_quality import LabelQuality
from sparkguard.testing import judge

ROWS, SEED = 6_000, 1
KINDS = {"easy": (3.0, 0.5), "easy, one in ten": (3.0, 0.1), "harder": (1.0, 0.5), "hard, one in five": (0.2, 0.2)}
"""By name how far apart the classes are, and the share of the positive one."""
MODELS = {"linear": LogisticRegression(max_iter=500), "trees": HistGradientBoostingClassifier(max_iter=80)}
FLOORS = (0.0, 0.8)
WRONG = (0.0, 0.02, 0.1)


def doubts(labels: np.ndarray, chance: np.ndarray, floor: float) -> tuple[set[int], float]:
    """The rows in doubt, and the estimated share of wrong labels."""
    rows = [{"y": int(y), "p": float(p), "id": i} for i, (y, p) in enumerate(zip(labels, chance, strict=True))]
    check = LabelQuality(
        id="labels",
        dataset="t",
        label="y",
        score="p",
        key=("id",),
        conflicts=False,
        min_probability=floor,
        violation_limit=10_000,
    )
    whole, *_ = judge(check, {"t": rows})
    return {int(v.key["id"] or -1) for v in whole.violations}, whole.quantities["estimated_error_rate"].value or 0.0


def main() -> None:
    """Print a row for each kind of data, model, share of wrong labels and least probability.

    `found`: the wrong labels that are in doubt; `right`: the labels in doubt that are wrong.
    """
    titles = ("classes", "model", "wrong labels", "AUC", "least probability", "in doubt", "found", "right", "estimated")
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for name, (apart, share) in KINDS.items():
        values, true = make_classification(
            ROWS, 10, n_informative=6, class_sep=apart, weights=[1 - share], flip_y=0, random_state=SEED
        )
        for wrong in WRONG:
            flipped = np.random.default_rng(0).random(ROWS) < wrong
            labels = np.where(flipped, 1 - true, true)
            for model_name, model in MODELS.items():
                chance = cross_val_predict(model, values, labels, cv=5, method="predict_proba")[:, 1]
                for floor in FLOORS:
                    found, estimated = doubts(labels, chance, floor)
                    bad = set(np.flatnonzero(flipped).tolist())
                    hit = f"{len(found & bad) / len(bad):.0%}" if bad else "–"
                    right = f"{len(found & bad) / len(found):.0%}" if found and bad else "–"
                    print(
                        f"| {name} | {model_name} | {wrong:.0%} | {roc_auc_score(labels, chance):.3f} | {floor} | "
                        f"{len(found) / ROWS:.1%} | {hit} | {right} | {estimated:.1%} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
