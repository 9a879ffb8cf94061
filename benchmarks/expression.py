"""`python -m benchmarks.expression`: measure accuracy and speed of the expression weights on labelled faces.

Writes `results/expression.json`, from which `python -m benchmarks.card` makes tables. Each run scores PrivateTest and
is recorded in the ledger `results/privatetest.jsonl`: run it only once, for the weights that ship.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import stills
from benchmarks.stills import FACES
from scenefer.models import registry, weight_files
from scenefer.models.expression import predictor
from scenefer.models.expression.blending import probabilities
from scenefer.training import datasets, evaluate
from scenefer.training.measures import describe

RESULTS = Path(__file__).parent / "results" / "expression.json"
BATCH = 32

# data set, split, truth, head ("" = the heads as the pipeline blends them), views averaged
MEASURED = [
    ("fer2013", "PrivateTest", "label", "fer2013", False),
    ("fer2013", "PrivateTest", "label", "fer2013", True),
    ("fer2013", "PrivateTest", "label", "", False),
    ("fer2013", "PrivateTest", "majority", "", False),
    ("fer2013", "PrivateTest", "majority", "ferplus", False),
    ("sfew_train", "", "label", "", False),
    ("sfew_train", "", "label", "fer2013", False),
    ("sfew_train", "", "label", "ferplus", False),
    ("ck48", "", "label", "", False),
    ("jaffe", "", "label", "", False),
    ("imfdb", "", "label", "", False),
]


def measure(weights: str) -> dict[str, Any]:
    """Measure weights on every set, their speed, and the effect of the fastest precision."""
    path = registry.find_expression(weights)
    part = RESULTS.with_suffix(".part.tmp")  # keeps rows, so that PrivateTest is not scored again if a later set fails
    rows = json.loads(part.read_text(encoding="utf-8")) if part.exists() else []
    rows = [row for row in rows if list(row["sha256"]) == [weight_files.sha256_of(path)]]
    for data, split, truth, head, tta in MEASURED[len(rows) :]:
        faces = FACES / f"{data}.parquet"
        figures = evaluate.evaluate([weights], faces, split, head=head or None, truth=truth, tta=tta)
        print(describe(figures), end="\n\n", flush=True)
        rows.append(asdict(figures) | {"feeds": not head})
        part.write_text(json.dumps(rows), encoding="utf-8")
    part.unlink()
    private = datasets.read(FACES / "fer2013.parquet").of("PrivateTest")
    located = stills.locate(FACES / "sfew_train.parquet")
    model = predictor.load(path)
    return {
        "weights": Path(weights).name,
        "sha256": weight_files.sha256_of(path),
        "n_bytes": path.stat().st_size,
        "date": _now(),
        "figures": rows,
        "stills": stills.plain(stills.score(probabilities(stills.read(model, located), model.calibration), located)),
        "precision": _precision(path, np.asarray(private.pictures), _earlier("precision")),
        "speed": _speed(path, _earlier("speed")),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _earlier(name: str) -> dict[str, Any]:
    """Return what was measured last of a figure; empty if nothing was."""
    return json.loads(RESULTS.read_text(encoding="utf-8"))[name] if RESULTS.exists() else {}


def _precision(path: Path, pictures: np.ndarray, earlier: dict[str, Any]) -> dict[str, Any]:
    """Compare the probabilities of bfloat16 and float32.

    On a processor without bfloat16, which emulates it slowly, keep what was measured on one that has it.
    """
    if earlier and predictor.fastest_precision(torch.device("cpu")) is torch.float32:
        return earlier
    found = []
    for precision in (torch.float32, torch.bfloat16):
        model = predictor.load(path, precision=precision)
        found.append(probabilities(model.read(pictures), model.calibration))
    apart = np.abs(found[0] - found[1])
    return {"mean": float(apart.mean()), "largest": float(apart.max()), "n": len(pictures)}


def _speed(path: Path, earlier: dict[str, Any]) -> dict[str, Any]:
    """Measure faces per second of processor time, batches of 32 on one thread: median of nine rounds of ten batches.

    On a processor without bfloat16, keep the speed measured on one that has it; speed depends only on the architecture.
    """
    if earlier and predictor.fastest_precision(torch.device("cpu")) is torch.float32:
        return earlier
    torch.set_num_threads(1)
    faces = np.random.default_rng(0).integers(0, 256, (BATCH, 48, 48), dtype=np.uint8)
    rates = {}
    for precision in (torch.float32, predictor.fastest_precision(torch.device("cpu"))):
        model = predictor.load(path, precision=precision)
        model.read(faces)
        rounds = []
        for _ in range(9):
            started = time.process_time()
            for _ in range(10):
                model.read(faces)
            rounds.append(10 * BATCH / (time.process_time() - started))
        rates[str(precision).removeprefix("torch.")] = round(float(np.median(rounds)))
    return {"date": _now(), "rates": rates}


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="rmn_face")
    results = measure(parser.parse_args().weights)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
