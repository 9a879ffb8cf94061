"""The tables that `make truth` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from benchmarks import portrayed, scoring
from benchmarks.agreement import Clip, Floor, Others, others_figures
from scenefer.core.schema import EMOTIONS


def clip_table(clips: Sequence[Clip], beside: Sequence[Others]) -> Table:
    """Draw one row per clip: our figures, and the other programs' if they were computed."""
    table = Table(title="Clip by clip", header_style="bold")
    ours = ("clip", "cuts", "gradual", "face", "no face", "usable", "alone", "emotion")
    for heading in (*ours, *(("PySceneDetect", "MTCNN face", "no face") if beside else ())):
        table.add_column(heading, justify="left" if heading == "clip" else "right")
    for k, clip in enumerate(clips):
        told = [one for one in clip.segments if one.face_seconds >= portrayed.LEAST]
        row = [
            Path(clip.truth.clip).stem,
            _cuts(clip.cuts),
            f"{sum(found is not None for _, found in clip.gradual)}/{len(clip.gradual)} +{len(clip.invented_gradual)}",
            _share(clip.presence.face_right, clip.presence.face),
            _share(clip.presence.no_face_right, clip.presence.no_face),
            _share(clip.usable.face_right, clip.usable.face),
            " ".join(f"{len(a.tracks)}/{len(u.tracks)}" for a, u in zip(clip.lone, clip.lone_usable, strict=True)),
            f"{sum(one.read in one.accepted for one in told)}/{len(told)}",
        ]
        if beside:
            seen = beside[k].presence
            row += [
                _cuts(beside[k].cuts),
                _share(seen.face_right, seen.face),
                _share(seen.no_face_right, seen.no_face),
            ]
        table.add_row(*row)
    table.caption = (
        "cuts: found/annotated +invented; face, no face, usable: share of that time told right;"
        " alone: tracks/usable tracks in each shot of one person; emotion: segments read as annotated"
    )
    return table


def film_table(lines: Sequence[tuple[str, str, str]]) -> Table:
    """Draw the reader's figures by face time, next to those of the constant answer."""
    table = Table("what a viewer sees", "scenefer", "always neutral", title="Face time in film", header_style="bold")
    for line in lines:
        table.add_row(*line)
    table.caption = "95 % intervals over clips; these clips chose what is read and at which temperature"
    return table


def floor_table(figures: Sequence[Floor], beside: Sequence[Others]) -> Table:
    """Draw the figures with their limits, next to the other programs' figures."""
    table = Table("figure", "scenefer", "must be", "", title="All clips together", header_style="bold")
    other = others_figures(beside) if beside else {}
    if beside:
        table.add_column("others")
    for figure in figures:
        limit = f"{'≥' if figure.least else '≤'} {figure.limit:g}"
        verdict = "[green]holds" if figure.holds else "[red]below"
        table.add_row(
            figure.name, f"{figure.value:.3f}", limit, verdict, *([other.get(figure.name, "")] if beside else [])
        )
    return table


def confusion_table(confusion: dict[str, dict[str, float]], title: str) -> Table:
    """Draw the confusion matrix of true against detected emotions."""
    table = Table("shown \\ read", *EMOTIONS, "recall", title=title, header_style="bold")
    for emotion, row in confusion.items():
        cells = [f"{row[name]:.3g}" if row.get(name) else "·" for name in EMOTIONS]
        table.add_row(emotion, *cells, f"{row.get(emotion, 0.0) / sum(row.values()):.2f}")
    table.caption = f"macro-recall {scoring.macro_recall(confusion):.3f}; an accepted alternative counts as shown"
    return table


def face_table(readings: Sequence[portrayed.Portrayed]) -> Table:
    """Draw every annotated person with their track and what was read in it."""
    table = Table(title="Face by face", header_style="bold")
    for heading in ("frames", "person", "track", "face-s", "shown", "read", "share", ""):
        table.add_column(heading)
    for one in readings:
        verdict = "[green]yes" if one.read in one.accepted else "[red]no" if one.read else f"[dim]{one.why}"
        table.add_row(
            f"{one.start}-{one.end}",
            one.person,
            " ".join(map(str, one.tracks)),
            f"{one.face_seconds:.1f}",
            " / ".join([one.emotion, *sorted(one.accepted - {one.emotion})]),
            one.read,
            f"{one.share:.0%}" if one.read else "",
            verdict,
        )
    return table


def _cuts(score: scoring.Cuts) -> str:
    invented = f" +{len(score.invented)}" if score.invented else ""
    return f"{len(score.found)}/{len(score.found) + len(score.missed)}{invented}"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.2f}" if whole else "·"
