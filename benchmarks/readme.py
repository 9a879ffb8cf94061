"""Write the figures of README and documents from the results files, so that no figure is copied by hand.

python -m benchmarks.readme
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import detectors, film, gates, library, live, missed_faces, peers, speech, steadying, verdicts
from benchmarks.card import NAMES, fill, viewed
from scenefer.core.schema import EMOTIONS

ROOT = Path(__file__).parents[1]
FIGURES = "docs/figures.md"
RESULTS = Path(__file__).parent / "results"


def speed(machines: dict[str, dict[str, Any]]) -> str:
    """Write the time and memory that a film takes on each machine that was measured, from ``film.json``."""
    told = [{name: (value, limit) for name, value, limit, _ in film.verdicts(one)} for one in machines.values()]
    names = " | ".join(f"{one['machine']['cores']} cores of {cpu}" for cpu, one in machines.items())
    lines = [f"| figure | {names} | must be |", "|---" * (2 + len(told)) + "|"]
    for figure in dict.fromkeys(figure for one in told for figure in one):
        values = " | ".join(one.get(figure, ("not measured", ""))[0] for one in told)
        limit = next(one[figure][1] for one in told if figure in one)
        lines.append(f"| {figure} | {values} | {limit} |")
    return "\n".join(lines)


def truth(measured: dict[str, Any]) -> str:
    """Write the comparison with the annotated clips, from ``truth.json``."""
    lines = ["| figure | scenefer | must be | others on the same clips |", "|---|---|---|---|"]
    for name, floor in measured["floors"].items():
        atmost = name.startswith(("boundaries inside", "tracks in such"))
        limit = f"{'≤' if atmost else '≥'} {floor['limit']:g}"
        lines.append(f"| {name} | {floor['value']:.3f} | {limit} | {measured['others'].get(name, '')} |")
    shown = measured["emotion"]["confusion_segments"]
    right = sum(row.get(emotion, 0.0) for emotion, row in shown.items())
    n = sum(sum(row.values()) for row in shown.values())
    recall = measured["emotion"]["macro_recall_segments"]
    lines.append(
        f"| strongest emotion of {n:.0f} annotated segments, macro-recall | {recall:.3f} ({right:.0f} right) | | |"
    )
    return "\n".join(lines)


def scenes(measured: dict[str, Any]) -> str:
    """Write the accuracy of guessed scenes, from ``scenes.json``."""
    films = {True: [], False: []}
    for row in measured["films"]:
        films[row["film"].startswith("invented")].append(row)
    lines = ["| boundaries of guessed scenes, F1 within one shot | scenefer | with people | every N shots, best N |"]
    lines.append("|---|---|---|---|")
    for name, rows in (("test film", films[False]), (f"{len(films[True])} invented films, mean", films[True])):
        if rows:
            figures = [sum(row[kind] for row in rows) / len(rows) for kind in ("pictures", "people", "every_n")]
            known = [f"{figure:.3f}" for figure in figures]
            known[1] = known[1] if name != "test film" else ""
            lines.append(f"| {name} | {' | '.join(known)} |")
    return "\n".join(lines)


def people(measured: dict[str, Any]) -> str:
    """Write the accuracy of identifying people, from ``people.json``."""
    film, pictures, floors = measured["film"], measured["imfdb"], measured["floors"]
    added, precision = measured["added_to_a_run"], measured["precision"]
    walls = [with_[0] / without[0] for with_, without in zip(added["with"], added["without"], strict=True)]
    return "\n".join(
        (
            "| people | measured | must be |",
            "|---|---|---|",
            f"| annotated boxes with a track | {film['matched']} of {film['boxes']} | ≥ {floors['matched']:.0%} |",
            f"| pairs of {film['tracks']} tracks of {film['people']} people, F1 | {film['f1']:.3f} | "
            f"≥ {floors['f1']} |",
            f"| pairs of {pictures['faces_found']} pictures of {pictures['people']} actors (IMFDB), F1; not tuned on | "
            f"{pictures['f1']:.3f} | |",
            f"| added to a run of one minute, wall time, median of {len(walls)} pairs ({min(walls):.2f} to "
            f"{max(walls):.2f} ×: a busy machine) | {added['wall_ratio'] - 1:.0%} | ≤ 15% |",
            f"| the same, processor time | {added['processor_ratio'] - 1:.0%} | |",
            f"| a face, bfloat16 (float32) | {precision['ms_a_face_bfloat16']:.0f} ms "
            f"({precision['ms_a_face_float32']:.0f} ms) | |",
        )
    )


def expression(measured: dict[str, Any]) -> str:
    """Write the figures on film and on labelled faces, from ``truth.json`` and ``expression.json``."""
    lines = [viewed(measured), "", "| faces | n | accuracy (95 % interval) | macro-F1 |", "|---|---|---|---|"]
    lines += [
        f"| {NAMES[row['data'], row['truth']]} | {row['n']} | {row['accuracy']:.1%} ({row['low']:.1%} to "
        f"{row['high']:.1%}) | {row['macro_f1']:.1%} |"
        for row in measured["figures"]
        if row["feeds"] and not row["tta"]
    ]
    return "\n".join(lines)


def validation(measured: dict[str, Any]) -> str:
    """Write how often intervals contain the true shares of simulated films, from ``validation.json``."""
    names = {"raw": "raw", "coded": "of the judged faces alone", "validated": "corrected"}
    lines = [f"| shares | all seven | {' | '.join(EMOTIONS)} |", "|---" * (2 + len(EMOTIONS)) + "|"]
    for kind, name in names.items():
        each = " | ".join(f"{measured['covered'][kind][emotion]:.1%}" for emotion in EMOTIONS)
        lines.append(f"| {name} | {measured['covered_all'][kind]:.1%} | {each} |")
    return "\n".join(lines)


def many(measured: dict[str, Any]) -> str:
    """Write how runs over libraries scale, from ``library.json``."""
    lines = ["| libraries | measured | must be |", "|---|---|---|"]
    return "\n".join(
        lines + [f"| {name} | {value} | {limit} |" for name, value, limit, _ in library.verdicts(measured)]
    )


def gated(measured: dict[str, Any]) -> str:
    """Write how much the rules that reject faces remove, from ``gates.json``."""
    return gates.table(gates.from_plain(measured))


def missed(measured: list[dict[str, Any]]) -> str:
    """Write the stretches in which faces are missed or invented, from ``missed_faces.json``."""
    return missed_faces.table([missed_faces.Stretch(**one) for one in measured])


def blocks() -> dict[tuple[str, str], str]:
    """Return every generated part of README and documents, by file and by the name of its enclosing comments."""
    written = {}
    for document, name, file, write in (
        ("README.md", "viewed", "expression", viewed), (FIGURES, "speed", "film", speed),
        (FIGURES, "library", "library", many), (FIGURES, "truth", "truth", truth),
        (FIGURES, "scenes", "scenes", scenes), (FIGURES, "people", "people", people),
        (FIGURES, "expression", "expression", expression), ("docs/validate.md", "validation", "validation", validation),
        (FIGURES, "gates", "gates", gated), (FIGURES, "detectors", "detectors", detectors.table),
        ("docs/live.md", "live", "live", live.table),
        (FIGURES, "missed", "missed_faces", missed),
        (FIGURES, "verdicts", "verdicts", verdicts.table), (FIGURES, "steadying", "steadying", steadying.table),
        (FIGURES, "speech", "speech", speech.table), (FIGURES, "peers", "peers", peers.table),
    ):  # fmt: skip
        written[document, name] = write(json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8")))
    return written


def main() -> None:
    """Fill README and documents."""
    for (document, name), text in blocks().items():
        fill(ROOT / document, name, text)


if __name__ == "__main__":
    main()
