"""`python -m benchmarks.leaks`: what FER2013 tells of its tests in its training pictures, and what that is worth.

Counts the pictures of each test split whose photograph Training shows too, and how often the two have one label. No
network is asked. Writes `results/leaks.json` and the paragraph of MODEL_CARD.md that is made of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.expression import CARD, FACES, RESULTS, fill
from scenefer.training import datasets, leaks

LEAKS = Path(__file__).parent / "results" / "leaks.json"


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


def paragraph(measured: dict[str, Any], figures: list[dict[str, Any]]) -> str:
    """Say what was counted, and what a network of our accuracy would score had it learned those pictures by heart.

    Args:
        figures: those of ``expression.json``; the first is PrivateTest by label.
    """
    private, accuracy = measured["PrivateTest"], figures[0]["accuracy"]
    shown, same = private["shown"] / private["n"], private["same_label"] / private["shown"]
    by_heart = shown * same + (1 - shown) * accuracy
    return (
        f"**FER2013 shows {private['shown']} of PrivateTest's {private['n']} photographs ({shown:.1%}) in Training as "
        f"well** (perceptual hashes that differ in at most {leaks.NEAR} of 255 bits, mirrored or not), {same:.1%} of "
        "them under the same label. The weights here learned without those pictures. A network that knew them by heart "
        f"and were right on the others as often as ours is on all, {accuracy:.1%}, would score {by_heart:.1%} on "
        "PrivateTest: published figures that do not say whether such pictures were left out cannot be set beside these."
    )


def main() -> None:
    """Count, write the results, fill the card."""
    measured = measure(datasets.read(FACES / "fer2013.parquet"))
    LEAKS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    figures = json.loads(RESULTS.read_text(encoding="utf-8"))["figures"]
    fill(CARD, "leaks", paragraph(measured, figures))
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
