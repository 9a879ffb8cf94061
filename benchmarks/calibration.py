"""`python -m benchmarks.calibration`: whether a bias a class beside the temperature would help the weights.

Both are fitted on PublicTest, without what the weights have learned of it, against the FER+ votes. What they are worth
there is measured by halves: fitted on one, measured on the other. What they do to film stills (SFEW, the detector in
the loop) decides: the bias would be kept only if these gain. PrivateTest is not looked at.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.expression import FACES
from scenefer import metrics
from scenefer.models import public_learned, reader, records, zoo
from scenefer.training import calibrate, datasets, evaluate, ferplus, figures, leaks

RESULTS = Path(__file__).parent / "results" / "calibration.json"


def measure(weights: str) -> dict[str, Any]:
    """Measure one weight file, with the bias and without: calibration error on PublicTest, accuracy on film stills."""
    path = zoo.find_expression(weights)
    model = reader.load(path, precision=torch.float32)
    head = slice(*model.calibration.head)
    faces = datasets.read(FACES / "fer2013.parquet")
    public = leaks.without_leaks(faces, public_learned(zoo.describe(path))).of("PublicTest")
    assert public.votes is not None  # the file has them
    voted = ferplus.majority(public.votes)
    known = voted >= 0
    votes, voted = public.votes[known, :7], voted[known]
    logits = model.read(np.asarray(public.pictures)[known])[:, head]
    stills = datasets.read(FACES / "sfew_train.parquet")
    located = evaluate.locate(stills)
    found = located.found
    on_stills = model.read(located.cut(reader.load_network(path)[0]))[:, head]
    odd = np.arange(len(logits)) % 2 == 1
    rows = {}
    for name, bias in (("temperature", False), ("temperature and bias", True)):
        halves = [
            _errors(*calibrate.fit(logits[a], votes[a], bias=bias), logits[~a], votes[~a], voted[~a])
            for a in (odd, ~odd)
        ]
        temperature, shifts = calibrate.fit(logits, votes, bias=bias)
        answers = np.full((len(stills), 7), 0.0, np.float32)
        answers[found] = _probabilities(on_stills, temperature, shifts)
        scored = figures.measure(answers, stills.labels, found, None, ("sfew_train", "", "label", "", False, ()))
        rows[name] = {
            "temperature": temperature,
            "bias": [round(float(shift), 3) for shift in shifts],
            **{key: float(np.mean([half[key] for half in halves])) for key in halves[0]},
            "stills_accuracy": scored.accuracy,
            "stills_macro_f1": scored.macro_f1,
            "stills_n": scored.n,
        }
    return {"sha256": records.sha256_of(path), "n_public": len(logits), **rows}


def _probabilities(logits: np.ndarray, temperature: float, shifts: np.ndarray) -> np.ndarray:
    return torch.softmax(torch.from_numpy(logits / temperature + shifts), dim=1).numpy()


def _errors(
    temperature: float, shifts: np.ndarray, logits: np.ndarray, votes: np.ndarray, voted: np.ndarray
) -> dict[str, float]:
    found = _probabilities(logits, temperature, shifts)
    shares = votes / votes.sum(axis=1, keepdims=True)
    return {
        "ece_votes": metrics.ece(found, votes),
        "ece_majority": metrics.ece(found, voted),
        "brier_votes": float(((found - shares) ** 2).sum(axis=1).mean()),
        "accuracy_majority": float((found.argmax(axis=1) == voted).mean()),
    }


def main() -> None:
    """Measure and print; keep the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="rmn_compact")
    measured = measure(parser.parse_args().weights)
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
