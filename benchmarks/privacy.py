"""`python -m benchmarks.privacy`: can one tell whose photograph the weights that ship learned?

Writes ``results/privacy.json``, which `python -m benchmarks.card` puts into MODEL_CARD.md.

Members are the pictures that they learned (FER2013 Training and, as their file says, a share of PublicTest), others the
rest of PublicTest and PrivateTest; what repeats a learned photograph is left out. Nothing is chosen by it.
"""

from __future__ import annotations

import json

from benchmarks import expression
from scenefer.training import privacy

RESULTS = expression.RESULTS.with_name("privacy.json")


def main() -> None:
    """Attack the weights that ship, and write the result."""
    faces = expression.FACES / "fer2013.parquet"
    found = privacy.attack(
        "rmn_face", [f"{faces}:Training"], [f"{faces}:PublicTest", f"{faces}:PrivateTest"], tell=print
    )
    print(privacy.describe(found))
    RESULTS.write_text(json.dumps(json.loads(found.as_json()), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
