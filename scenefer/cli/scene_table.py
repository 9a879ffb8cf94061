"""The scenes of a film as a terminal table of any width: intended, detected, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scenefer.cli.terminal import CLOSE, ROOMY, SPACIOUS, WIDE
from scenefer.comparison.agreement import leading, worst_verdicts
from scenefer.comparison.intentions import parse_intention
from scenefer.comparison.verdicts import NO_EVIDENCE, VERDICTS
from scenefer.comparison.wording import verdict_words
from scenefer.core import tables
from scenefer.core.film import clock
from scenefer.core.text import printable, whole
from scenefer.interchange.scene_records import summary

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis


def print_scenes(console: Console, analysis: Analysis, folder: Path) -> None:
    """Print the scenes of a run that is stored in a folder, and how many of them show what was intended."""
    compared = folder / "tables" / "comparison.parquet"
    verdicts: dict[int, str] = {}
    if compared.is_file():
        view = str(analysis.run.get("settings", {}).get("comparison", {}).get("view"))
        verdicts = worst_verdicts(leading(tables.read(compared, "comparison"), view))
    console.print(scenes_table(analysis, verdicts, width=console.width, encoding=console.encoding))
    if verdicts:
        console.print(Text(f"{_as_intended(verdicts)}\n"))


def _as_intended(verdicts: Mapping[int, str]) -> str:
    n = Counter(verdicts.values())
    first, *others = ((n[verdict], verdict_words(verdict)) for verdict in VERDICTS)
    said = [f"{first[0]} of {len(verdicts)} scene{'s' * (len(verdicts) != 1)} {first[1]}"]
    return ", ".join([*said, *(f"{number} {words}" for number, words in others if number)])


def scenes_table(
    analysis: Analysis, verdicts: Mapping[int, str] = {}, *, width: int = 120, encoding: str = "utf-8"
) -> Table:
    """Draw one row per scene: times, evidence, what was intended (if anything), and the largest percentages.

    Args:
        verdicts: the verdict of each judged scene, shown as a mark.
        width: of the terminal, in characters; if it is narrow, the detected emotions are shortened last.
    """
    meant, moves = _intended(analysis), analysis.film.kind == "video"
    wide, roomy = width >= WIDE, width >= ROOMY + (8 if meant else 0)
    guessed = bool(len(analysis.scenes)) and (analysis.scenes["source"] == "guessed").all()
    title = f"{analysis.film.path.name}{' · guessed scenes' if guessed else ''}"
    table = Table(title=Text(printable(title)), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("scene", no_wrap=True, overflow="ellipsis", max_width=max(8, width // 6))
    times = [name for name, shown in (("from", moves), ("to", moves and wide)) if shown]
    for heading in (*times, *(["faces"] if roomy else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    if meant:
        table.add_column("intended", max_width=24 if width >= SPACIOUS else max(10, width // 6))
    if verdicts:
        table.add_column("", no_wrap=True)
    table.add_column(
        "detected, % of face time" if moves and wide else "detected, %",
        min_width=22 if width >= CLOSE else None,
    )
    for scene in summary(analysis)["scenes"]:
        fine, cut = (1, -2) if wide else (0, -4)
        edges = [clock(round(scene[edge], fine))[:cut] for edge in ("start", "end")][: len(times)]
        cells = [Text(printable(scene["name"])), *edges, *([f"{scene['coverage']:.0%}"] if roomy else [])]
        cells += [Text(meant.get(str(scene["name"]), ""))] if meant else []
        cells += [_mark(verdicts.get(scene["scene"]), encoding)] if verdicts else []
        table.add_row(*cells, _largest(scene, 3 if roomy else 2))
    return table


def _largest(scene: Mapping[str, Any], n: int) -> str:
    if scene["percent"] is None:
        return NO_EVIDENCE
    largest = sorted(scene["percent"].items(), key=lambda item: -item[1])[:n]
    words = " · ".join(f"{emotion} {whole(percent)}" for emotion, percent in largest)
    return words + (" (one take)" if scene["evidence"] == "one take" else "")


def _mark(verdict: str | None, encoding: str) -> Text:
    if verdict is None:
        return Text("")
    signs = "✓~✗" if encoding.lower().startswith("utf") else "=~x"
    place = VERDICTS.index(verdict)
    return Text(signs[place], style=("green", "yellow", "red")[place])


def _intended(analysis: Analysis) -> dict[str, str]:
    """Describe what each scene was meant to show according to the film's sheet, by scene name."""
    said: dict[str, list[str]] = {}
    if analysis.sheet is not None:
        stated = analysis.sheet.loc[analysis.sheet["intended"].notna()]
        for name, shares, character in stated[["scene", "intended", "character"]].itertuples(index=False, name=None):
            meant = " · ".join(
                emotion if share == 1 else f"{emotion} {100 * share:.0f}"
                for emotion, share in parse_intention(shares).items()
            )
            if meant:
                whose = f"{printable(character)}: " if isinstance(character, str) else ""
                said.setdefault(str(name), []).append(whose + meant)
    return {name: "\n".join(lines) for name, lines in said.items()}
