"""`python -m benchmarks.networks --study DIR`: sizes and speed of every network, and what studies found of them.

Writes ``results/networks.json`` and the tables of ``docs/which-network.md`` (``--page`` makes them anew without
measuring). Studies are kept by name: one that is given again replaces what was known of it, the others stay.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks import card, expression
from scenefer.models import network_sizes
from scenefer.models.expression import predictor
from scenefer.models.expression.network import network_class
from scenefer.training import studies

RESULTS = expression.RESULTS.with_name("networks.json")
PAGE = Path(__file__).parents[1] / "docs" / "which-network.md"
ENOUGH = 2.0  # seconds of processor time that a network is measured for
PRIVATE, STILLS = "fer2013:PrivateTest", "sfew_train"
_KEPT = (
    "row",
    "network",
    "learned",
    "test",
    "n",
    "accuracy",
    "low",
    "high",
    "published",
    "epochs",
    "planned",
    "started_from",
)


def speed(name: str) -> float:
    """Count faces a second of processor time, one thread, float32, at the side that a network has by default."""
    torch.set_num_threads(1)
    network = predictor.for_inference(network_class(name)(n_labels=7), torch.float32)  # pyright: ignore[reportCallIssue]
    faces = torch.rand(4, 1, network.side, network.side) * 255  # pyright: ignore[reportArgumentType]
    with torch.inference_mode():
        network(faces)
        began, rounds = time.process_time(), 0
        while (took := time.process_time() - began) < ENOUGH:
            network(faces)
            rounds += 1
    return rounds * len(faces) / took


def measure() -> dict[str, Any]:
    """Measure every network."""
    sizes = [
        asdict(size) | {"faces_a_second": speed(size.name)} for size in network_sizes.measure_all() if not size.missing
    ]
    return {"date": datetime.now(UTC).date().isoformat(), "networks": sizes}


def study(folder: Path) -> dict[str, Any]:
    """Read what a study found, or at what distance and in which light faces are found."""
    table = pd.read_parquet(folder / studies.TABLE)
    kept = table if "distance" in table else table[table["accuracy"].notna()][list(_KEPT)]
    rows = json.loads(kept.to_json(orient="records"))
    return {(folder / "study").read_text(encoding="utf-8"): rows}


def table(results: dict[str, Any]) -> str:
    """Write what each network costs and reads."""
    published = {
        row.recipe.network: row.published[PRIVATE]
        for path in sorted(studies.FOLDER.glob("*.toml"))
        for row in studies.read(path).rows
        if PRIVATE in row.published
    }
    lines = [
        "| network | parameters | multiply-adds | input | faces a second | FER2013 PrivateTest here | published | "
        "film stills here | privacy (AUC) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in results["networks"]:
        name = one["name"]
        cells = [f"{one['parameters'] / 1e6:.2f} M", f"{one['multiply_adds'] / 1e6:,.0f} M", f"{one['side']}²"]
        rate = one["faces_a_second"]
        cells += ["not measured" if rate is None else f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"]
        cells += [_read(results, name, PRIVATE), f"{published[name]:.1%}" if name in published else ""]
        cells += [_read(results, name, STILLS), _private(name)]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _read(results: dict[str, Any], network: str, test: str) -> str:
    """Say what share of a test a network read rightly: the weights that ship, else the best row of any study."""
    if network == "rmn_face":
        data = test.partition(":")[0]
        figures = json.loads(expression.RESULTS.read_text(encoding="utf-8"))["figures"]
        found = next(row for row in figures if row["data"] == data and row["truth"] == "label" and row["feeds"])
        return f"{found['accuracy']:.1%} ({found['low']:.1%} to {found['high']:.1%}), as it ships"
    rows = [row for name, rows in results["studies"].items() if name != "light_distance" for row in rows]
    rows = [row for row in rows if row["network"] == network and row["test"] == test]
    if not rows:
        return "not run"
    best = max(rows, key=lambda row: row["accuracy"])
    how = f"{best['epochs']:.0f} of {best['planned']:.0f} epochs, {best['started_from']}"
    return f"{best['accuracy']:.1%} ({best['low']:.1%} to {best['high']:.1%}), {how}"


def _private(network: str) -> str:
    if network != "rmn_face":
        return "not run"
    found = json.loads(card.PRIVACY.read_text(encoding="utf-8"))
    return f"{found['auc']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def rows_of_studies(results: dict[str, Any]) -> str:
    """Write what was run of each study, every row."""
    if not set(results["studies"]) - {"light_distance"}:
        return "None yet: the studies ship, and take hours to days; what is run is put here."
    lines = [
        "| study | row | learned | tried on | n | here (95 % interval) | published | epochs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in results["studies"].items():
        for row in rows if name != "light_distance" else []:
            published = "" if row["published"] is None else f"{row['published']:.1%}"
            here = f"{row['accuracy']:.1%} ({row['low']:.1%} to {row['high']:.1%})"
            lines.append(
                f"| {name} | {row['row']} | {row['learned']} | {row['test']} | {row['n']:.0f} | {here} | {published} | "
                f"{row['epochs']:.0f} of {row['planned']:.0f} |"
            )
    return "\n".join(lines)


def distances(results: dict[str, Any]) -> str:
    """Write how many faces each detector finds, and how many are read rightly, by distance and light."""
    rows = results["studies"].get("light_distance", [])
    if not rows:
        return "Not run yet."
    far = sorted({row["distance"] for row in rows})
    lines = [
        f"Of {rows[0]['n']:.0f} pictures:",
        "",
        "| detector | light | " + " | ".join(f"{100 * distance:.0f} cm" for distance in far) + " |",
        "|---|---|" + "---|" * len(far),
    ]
    for detector, light in dict.fromkeys((row["detector"], row["light"]) for row in rows):
        cells = {row["distance"]: row for row in rows if (row["detector"], row["light"]) == (detector, light)}
        values = [f"{cells[one]['found']:.0%} / {cells[one]['right']:.0%}" for one in far]
        lines.append(f"| `{detector}` | {light} | {' | '.join(values)} |")
    return "\n".join(lines)


def fill_page() -> None:
    """Fill the page from the results."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    for name, text in pieces(results).items():
        card.fill(PAGE, name, text)


def pieces(results: dict[str, Any]) -> dict[str, str]:
    """Return the parts of the page that are made from results, by the name of their comment."""
    return {"networks": table(results), "studies": rows_of_studies(results), "distances": distances(results)}


def main() -> None:
    """Measure, keep what studies found, fill the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, action="append", default=[], help="folder of a study; repeatable")
    parser.add_argument("--page", action="store_true", help="measure nothing")
    asked = parser.parse_args()
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"studies": {}}
    if not asked.page:
        known |= measure()
    for folder in asked.study:
        known["studies"] |= study(folder)
    RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    fill_page()


if __name__ == "__main__":
    main()
