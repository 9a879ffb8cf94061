"""`python -m benchmarks.leaks`: what FER2013 tells of its tests in its training pictures, and what that is worth.

Counts the pictures of each test split whose photograph Training shows too, and how often the two have one label. No
network is asked. Writes `results/leaks.json`, and MODEL_CARD.md anew, one paragraph of which is made of it.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from benchmarks.expression import FACES, LEAKS, fill_card
from scenefer.training import datasets, leaks


def measure(faces: datasets.Faces) -> dict[str, dict[str, Any]]:
    """Count for both test splits: pictures, those that Training shows too, and those of them with the same label."""
    training, found = faces.of("Training"), {}
    for split in ("PublicTest", "PrivateTest"):
        test = faces.of(split)
        bits, rows = leaks.nearest(test, training)
        shown = bits <= leaks.NEAR
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
