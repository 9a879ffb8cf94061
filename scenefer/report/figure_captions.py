"""The caption of each figure for papers: what is drawn, of which film, by what, and how that is cited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenefer.analysis.edits import excluded
from scenefer.core.language import Language
from scenefer.core.version import __version__
from scenefer.report import formatting

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis

TITLE, AUTHORS, LICENCE = "scenefer", "The scenefer authors", "Apache-2.0"  # as in CITATION.cff, a test holds


def caption(plate: str, analysis: Analysis, language: Language) -> str:
    """Write the caption of a plate, by the name of its file: two paragraphs, the second says how to cite."""
    say = language.say
    film = formatting.printable(analysis.film.path.name)
    weights = formatting.printable(analysis.run.get("weights", {}).get("expression", {}).get("name", ""))
    version = analysis.run.get("versions", {}).get("scenefer", __version__)
    kind = plate.rstrip("-0123456789")
    if kind == "film-arc":
        what = say(
            "{film}: shares of the seven detected facial expressions over film time, of all usable faces, smoothed for "
            "the eye; where nothing is drawn no face was usable. Bands are scenes, ticks are cuts; the ribbon above a "
            "scene is what was intended.",
            film=film,
        )
    elif kind == "scenes":
        what = say(
            "{film}: detected facial expressions by scene, as shares of the seconds in which faces were usable. Lines "
            "are 95 % intervals from resampling shots, tracks and seconds, dashed where a scene has fewer than three "
            "shots: they then say what this take could have shown. Dashed frames are what was intended.",
            film=film,
        )
    else:
        what = say(
            "{film}: scenes by the emotion that was intended (rows) and the largest detected share (columns).",
            film=film,
        )
    how = say(
        "Faces usable in {share} of the film's time; expressions read by the weights {weights}. Detected expressions "
        "are how faces look, not what people feel.",
        share=formatting.percent(100 * analysis.run.get("coverage", {}).get("face", 0.0), language),
        weights=weights or "–",
    )
    cite = say(
        "Cite: {authors}: {title}, version {version}, {licence}; and the papers of the methods that were used, which "
        "docs/method.md lists.",
        authors=AUTHORS,
        title=TITLE,
        version=version,
        licence=LICENCE,
    )
    return f"{' '.join(filter(None, (what, _excluded(kind, analysis, language), how)))}\n\n{cite}\n"


def _excluded(kind: str, analysis: Analysis, language: Language) -> str:
    """Say how much of the film was excluded by hand, and that it is hatched in the arc; empty where nothing was."""
    moments = excluded(analysis.edits)
    if not moments:
        return ""
    time = formatting.length(sum(end - start for start, end in moments), language)
    if kind == "film-arc":
        return language.say(
            "Hatched: moments that were excluded by hand, {time} in all; no face in them counts.", time=time
        )
    return language.say("Moments that were excluded by hand, {time} in all, count in nothing shown here.", time=time)
