"""`python -m benchmarks.leaks`: which test pictures of FER2013 are in its training set, and what that is worth.

Counts the pictures of each test split whose photograph is also in Training, and how often both have the same label. No
network is used. Writes `results/leaks.json`, and updates MODEL_CARD.md, which has a paragraph made from it.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from benchmarks.card import LEAKS, fill_card
from benchmarks.stills import FACES
from scenefer.training import datasets, labelled_faces, leakage


def measure(faces: labelled_faces.Faces) -> dict[str, dict[str, Any]]:
    """Count for both test splits: all pictures, those also in Training, and those of them with the same label."""
    training, found = faces.of("Training"), {}
    for split in ("PublicTest", "PrivateTest"):
        test = faces.of(split)
        bits, rows = leakage.nearest(test, training)
        shown = bits <= leakage.NEAR
        agree = shown & (training.labels[rows] == test.labels)
        found[split] = {"n": len(test), "shown": int(np.sum(shown)), "same_label": int(np.sum(agree))}
    return found


def main() -> None:
    """Count, write the results, fill the card."""
    measured = measure(datasets.read(FACES / "fer2013.parquet"))
    LEAKS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    fill_card()
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
