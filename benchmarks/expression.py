"""`python -m benchmarks.expression`: what the expression weights do on labelled faces, and how fast.

Writes `results/expression.json`, from which the tables of MODEL_CARD.md are made (`--card` makes them anew without
measuring). Each run scores PrivateTest, which the ledger `results/privatetest.jsonl` notes: once, for what ships.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scenefer import expression
from scenefer.models import reader, records, zoo
from scenefer.schema import EMOTIONS
from scenefer.training import datasets, evaluate, leaks
from scenefer.training.figures import describe

FACES = Path(os.environ.get("SCENEFER_FACES") or Path(__file__).parents[2] / "shared" / "data")
RESULTS = Path(__file__).parent / "results" / "expression.json"
LEAKS = RESULTS.with_name("leaks.json")
CARD = Path(__file__).parents[1] / "MODEL_CARD.md"
BATCH = 32

# data set, split, truth, head ("" = the one that feeds the pipeline), views averaged
MEASURED = [
    ("fer2013", "PrivateTest", "label", "", False),
    ("fer2013", "PrivateTest", "label", "", True),
    ("fer2013", "PrivateTest", "majority", "", False),
    ("fer2013", "PrivateTest", "majority", "ferplus", False),
    ("sfew_train", "", "label", "", False),
    ("sfew_train", "", "label", "ferplus", False),
    ("ck48", "", "label", "", False),
    ("jaffe", "", "label", "", False),
    ("imfdb", "", "label", "", False),
]
NAMES = {
    ("fer2013", "label"): "FER2013 PrivateTest",
    ("fer2013", "majority"): "FER+ test, clear majority",
    ("sfew_train", "label"): "film stills (SFEW 2.0 train), a development set",
    ("ck48", "label"): "CK+ without contempt",
    ("jaffe", "label"): "JAFFE",
    ("imfdb", "label"): "IMFDB, Indian films, noisy labels",
}


def measure(weights: str) -> dict[str, Any]:
    """Measure weights on every set, their speed, and what the fastest precision changes."""
    path = zoo.find_expression(weights)
    part = RESULTS.with_suffix(".part.tmp")  # a score of PrivateTest is not taken twice because a later one failed
    rows = json.loads(part.read_text(encoding="utf-8")) if part.exists() else []
    rows = [row for row in rows if list(row["sha256"]) == [records.sha256_of(path)]]
    for data, split, truth, head, tta in MEASURED[len(rows) :]:
        faces = FACES / f"{data}.parquet"
        figures = evaluate.evaluate([weights], faces, split, head=head or None, truth=truth, tta=tta)
        print(describe(figures), end="\n\n", flush=True)
        rows.append(asdict(figures) | {"feeds": not head})
        part.write_text(json.dumps(rows), encoding="utf-8")
    part.unlink()
    private = datasets.read(FACES / "fer2013.parquet").of("PrivateTest")
    return {
        "weights": Path(weights).name,
        "sha256": records.sha256_of(path),
        "n_bytes": path.stat().st_size,
        "date": _now(),
        "figures": rows,
        "precision": _precision(path, np.asarray(private.pictures)),
        "speed": _speed(path, _earlier()),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _earlier() -> dict[str, Any]:
    """Return the speed that was measured last; none yet is an empty one."""
    return json.loads(RESULTS.read_text(encoding="utf-8"))["speed"] if RESULTS.exists() else {}


def _precision(path: Path, pictures: np.ndarray) -> dict[str, Any]:
    """Compare bfloat16's probabilities with those of float32; a processor that lacks bfloat16 emulates it, slowly."""
    found = []
    for precision in (torch.float32, torch.bfloat16):
        model = reader.load(path, precision=precision)
        found.append(expression.probabilities(model.read(pictures), model.calibration))
    apart = np.abs(found[0] - found[1])
    return {"mean": float(apart.mean()), "largest": float(apart.max()), "n": len(pictures)}


def _speed(path: Path, earlier: dict[str, Any]) -> dict[str, Any]:
    """Count faces a second of processor time, batches of 32 on one thread: the median of nine rounds of ten batches.

    A processor that does not compute in bfloat16 leaves standing what one that does has measured: speed is a layout's.
    """
    if earlier and reader.fastest_precision(torch.device("cpu")) is torch.float32:
        return earlier
    torch.set_num_threads(1)
    faces = np.random.default_rng(0).integers(0, 256, (BATCH, 48, 48), dtype=np.uint8)
    rates = {}
    for precision in (torch.float32, reader.fastest_precision(torch.device("cpu"))):
        model = reader.load(path, precision=precision)
        model.read(faces)
        rounds = []
        for _ in range(9):
            started = time.process_time()
            for _ in range(10):
                model.read(faces)
            rounds.append(10 * BATCH / (time.process_time() - started))
        rates[str(precision).removeprefix("torch.")] = round(float(np.median(rounds)))
    return {"date": _now(), "rates": rates}


def tables(results: dict[str, Any]) -> str:
    """Write the card's tables."""
    lines = [
        f"Weights `{results['weights']}`, sha256 `{results['sha256']}`, {results['n_bytes'] / 1e6:.1f} MB; measured "
        f"{results['date'][:10]}.",
        "",
        "| faces | head | views | n | not found | accuracy (95 % interval) | top 2 | macro-F1 | ECE | against votes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows = sorted(results["figures"], key=lambda row: not row["feeds"])
    lines += [_line(row) for row in rows]
    headline = rows[0]
    lines += [
        "",
        f"By class, {NAMES[headline['data'], headline['truth']]}, head `{headline['head']}`:",
        "",
        "| | precision | recall | F1 | n |",
        "|---|---|---|---|---|",
    ]
    for number, emotion in enumerate(EMOTIONS):
        parts = [headline[name][number] for name in ("precision", "recall", "f1")]
        texts = " | ".join("–" if part is None else f"{part:.1%}" for part in parts)
        lines.append(f"| {emotion} | {texts} | {sum(headline['confusion'][number])} |")
    precision, speed = results["precision"], results["speed"]
    rates = ", ".join(f"{rate} in {name}" for name, rate in speed["rates"].items()) + f" ({speed['date'][:10]})"
    lines += [
        "",
        f"Faces a second of processor time, batches of {BATCH}, one thread: {rates}. The probabilities of "
        f"bfloat16 differ from those of float32 by {precision['mean']:.4f} in the mean and {precision['largest']:.3f} "
        f"at most (PrivateTest, n = {precision['n']}).",
    ]
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    feeds = "" if row["feeds"] else " (feeds nothing)"
    views = "10 averaged" if row["tta"] else "1"
    return (
        f"| {NAMES[row['data'], row['truth']]} | `{row['head']}`{feeds} | {views} | {row['n']} | {row['n_missed']} | "
        f"{row['accuracy']:.1%} ({row['low']:.1%} to {row['high']:.1%}) | {row['top2']:.1%} | {row['macro_f1']:.1%} | "
        f"{row['ece']:.3f} | {'' if row['ece_votes'] is None else format(row['ece_votes'], '.3f')} |"
    )


def ledger() -> str:
    """Write the ledger of PrivateTest as a table."""
    lines = ["| date | weights | truth | head | views | n | accuracy |", "|---|---|---|---|---|---|---|"]
    assert evaluate.LEDGER is not None  # benchmarks run in a checkout
    for entry in map(json.loads, evaluate.LEDGER.read_text(encoding="utf-8").splitlines()):
        hashes = ", ".join(f"`{sha256[:12]}`" for sha256 in entry["sha256"])
        views = "10 averaged" if entry["tta"] else "1"
        lines.append(
            f"| {entry['date'][:16]} | {hashes} | {entry['truth']} | `{entry['head']}` | {views} | {entry['n']} | "
            f"{entry['accuracy']:.1%} |"
        )
    return "\n".join(lines)


def leaked(measured: dict[str, Any], figures: list[dict[str, Any]]) -> str:
    """Say what was counted, and what a network of our accuracy would score had it learned those pictures by heart.

    Args:
        measured: ``leaks.json``.
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


def fill_card() -> None:
    """Fill MODEL_CARD.md from the results."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    fill(CARD, "figures", tables(results))
    fill(CARD, "leaks", leaked(json.loads(LEAKS.read_text(encoding="utf-8")), results["figures"]))
    fill(CARD, "ledger", ledger())


def fill(card: Path, name: str, text: str) -> None:
    """Replace what stands between the comments ``name`` and ``/name`` of the card."""
    opened, closed = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = card.read_text(encoding="utf-8").split(opened)
    _, after = rest.split(closed)
    card.write_text(f"{before}{opened}\n\n{text}\n\n{closed}{after}", encoding="utf-8")


def main() -> None:
    """Measure, write the results, fill the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="rmn_compact")
    parser.add_argument("--card", action="store_true", help="fill MODEL_CARD.md from the results, measure nothing")
    asked = parser.parse_args()
    if not asked.card:
        results = measure(asked.weights)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    fill_card()


if __name__ == "__main__":
    main()
