"""`python -m benchmarks.card`: write the figures into MODEL_CARD.md from `results/`, without measuring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import expression, film_time, reading, stills, verdicts
from scenefer.core.schema import EMOTIONS
from scenefer.training import evaluate, leakage

TRUTH = expression.RESULTS.with_name("truth.json")
LEAKS = expression.RESULTS.with_name("leaks.json")
PRIVACY = expression.RESULTS.with_name("privacy.json")
CARD = Path(__file__).parents[1] / "MODEL_CARD.md"
NAMES = {
    ("fer2013", "label"): "FER2013 PrivateTest",
    ("fer2013", "majority"): "FER+ test, clear majority",
    ("sfew_train", "label"): "film stills (SFEW 2.0 train), a development set",
    ("ck48", "label"): "CK+ without contempt",
    ("jaffe", "label"): "JAFFE",
    ("imfdb", "label"): "IMFDB, Indian films, noisy labels",
}


def viewed(results: dict[str, Any]) -> str:
    """Write the figures for film (face time, film stills, stills of one clip) next to those of the constant answer."""
    seen = film_time.from_plain(json.loads(TRUTH.read_text(encoding="utf-8"))["film_time"])
    judged = json.loads(verdicts.RESULTS.read_text(encoding="utf-8"))
    rows = [
        *film_time.lines(seen),
        *stills.lines(stills.from_plain(results["stills"])),
        *verdicts.lines(judged),
    ]
    lines = ["| what a viewer sees (95 % interval) | scenefer | always neutral |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {ours} | {constant} |" for name, ours, constant in rows)])


def tables(results: dict[str, Any]) -> str:
    """Write the card's tables."""
    lines = [
        f"Weights `{results['weights']}`, sha256 `{results['sha256']}`, {results['n_bytes'] / 1e6:.1f} MB; measured "
        f"{results['date'][:10]}.",
        "",
        viewed(results),
        "",
        "| faces | head | views | n | not found | accuracy (95 % interval) | top 2 | macro-F1 | ECE | against votes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows = sorted(results["figures"], key=lambda row: not row["feeds"])
    lines += [_line(row) for row in rows]
    headline = results["figures"][0]
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
        f"Faces a second of processor time, batches of {expression.BATCH}, one thread: {rates}. The probabilities of "
        f"bfloat16 differ from those of float32 by {precision['mean']:.4f} in the mean and {precision['largest']:.3f} "
        f"at most (PrivateTest, n = {precision['n']}).",
    ]
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    feeds = " (as the pipeline reads)" if row["feeds"] else " alone"
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
    """Describe the leaked pictures, and what a network of our accuracy would score if it had memorised them.

    Args:
        measured: ``leaks.json``.
        figures: from ``expression.json``; the first is PrivateTest by label.
    """
    private, accuracy = measured["PrivateTest"], figures[0]["accuracy"]
    shown, same = private["shown"] / private["n"], private["same_label"] / private["shown"]
    by_heart = shown * same + (1 - shown) * accuracy
    return (
        f"**FER2013 shows {private['shown']} of PrivateTest's {private['n']} photographs ({shown:.1%}) in Training as "
        f"well** (perceptual hashes that differ in at most {leakage.NEAR} of 255 bits, mirrored or not), {same:.1%} of "
        "them under the same label. The weights here learned without those pictures. A network that knew them by heart "
        f"and were right on the others as often as ours is on all, {accuracy:.1%}, would score {by_heart:.1%} on "
        "PrivateTest: published figures that do not say whether such pictures were left out cannot be set beside these."
    )


def attacked(measured: dict[str, Any]) -> str:
    """Say for the card what was measured."""
    strict, loose = measured["alarms"]
    lines = [
        "**Whose photograph did it learn?** An attacker who has a face and its label, and calls it learned where the "
        f"network's loss is low (a population attack; `scenefer privacy`), tells {measured['n_members']} learned faces "
        f"from {measured['n_others']} others with an AUC of {measured['auc']:.3f} ({measured['low']:.3f} to "
        f"{measured['high']:.3f}; a coin has 0.5). Thresholds come from {measured['n_reference']} further faces; "
        f"{measured['n_repeated']} that repeat a learned photograph are left out.",
        "",
        "| false alarms accepted | learned faces found | TP | FP | TN | FN |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['rate']:.0%} | {one['found']:.1%} ({one['low']:.1%} to {one['high']:.1%}) | {one['tp']} | "
        f"{one['fp']} | {one['tn']} | {one['fn']} |"
        for one in (strict, loose)
    ]
    return "\n".join(lines)


def fill_card() -> None:
    """Fill MODEL_CARD.md from the results."""
    results = json.loads(expression.RESULTS.read_text(encoding="utf-8"))
    fill(CARD, "figures", tables(results))
    fill(CARD, "reading", reading.table(json.loads(reading.RESULTS.read_text(encoding="utf-8"))))
    fill(CARD, "leaks", leaked(json.loads(LEAKS.read_text(encoding="utf-8")), results["figures"]))
    fill(CARD, "privacy", attacked(json.loads(PRIVACY.read_text(encoding="utf-8"))))
    fill(CARD, "ledger", ledger())


def fill(card: Path, name: str, text: str) -> None:
    """Replace the text between the comments ``name`` and ``/name`` of the card."""
    opened, closed = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = card.read_text(encoding="utf-8").split(opened)
    _, after = rest.split(closed)
    card.write_text(f"{before}{opened}\n\n{text}\n\n{closed}{after}", encoding="utf-8")


if __name__ == "__main__":
    fill_card()
