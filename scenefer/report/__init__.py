"""The report: one HTML page that holds all it shows and asks the network for nothing.

build(analysis) ──▶ cards.py     a card a scene, a card a track       pictures.py  chosen and packed
                    figures.py   the arc and the tracks, for plotly   words.py     numbers and findings
                    evidence.py  what was looked at, settings         template.html.j2, style.css, report.js
                    gaps.py      intended against detected                page.py     what every page has
                    people.py    who is seen, and their arcs              people.html.j2, people.css

library.py makes the page that lists the films of a library, with thumbnails.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from scenefer.report import cards, evidence, figures, gaps, page, people, pictures, words
from scenefer.tables import EMOTIONS

if TYPE_CHECKING:
    from scenefer.analysis import Analysis
    from scenefer.comparison import Comparison


def build(analysis: Analysis, compared: Comparison | None = None) -> dict[str, str | bytes]:
    """Make the files of a report, by name: ``report.html``, and the pictures of its scenes once more, as JPEG files.

    Args:
        compared: what was intended beside what was detected, where something was intended.
    """
    scenes = cards.scene_cards(analysis, gaps.of_scenes(compared))
    return {"report.html": _page(analysis, compared, scenes), **_pictures(scenes)}


def render(analysis: Analysis, compared: Comparison | None = None) -> str:
    """Render the report of a film; every name in it is text, whatever it contains."""
    return _page(analysis, compared, cards.scene_cards(analysis, gaps.of_scenes(compared)))


def _pictures(scenes: list[dict[str, Any]]) -> dict[str, str | bytes]:
    shown = {
        f"pictures/scene-{scene['id']:03}-{kind}-{number}.jpg": entry["picture"]
        for scene in scenes
        for kind, entries in (("keyframe", scene["keyframes"]), ("face", scene["faces"]))
        for number, entry in enumerate(entries, start=1)
    }
    return {name: pictures.unpacked(packed) for name, packed in shown.items() if packed is not None}


def _page(analysis: Analysis, compared: Comparison | None, scenes: list[dict[str, Any]]) -> str:
    tracks, leaders = cards.track_cards(analysis)
    end = _end(analysis)
    scripts = [page.part("plotly-basic.min.js"), page.part("report.js")]
    drawn = {
        "arc": figures.arc(analysis, end, {card["id"]: card["meant"] for card in scenes}),
        "lanes": figures.lanes(analysis, leaders, end),
    }
    return page.template("template.html.j2").render(
        policy=page.policy(scripts),
        style=page.part("style.css") + page.part("people.css"),
        scripts=scripts,
        figures=page.json_of(drawn),
        film=_title(analysis, end),
        warnings=[words.printable(warning) for warning in analysis.run.get("warnings", [])],
        state=analysis.run.get("state", "done"),
        headline=words.headline(
            [(card["name"], card["clear"]) for card in scenes if card["distribution"]], len(scenes)
        ),
        emotions=[(emotion, figures.COLOURS[emotion]) for emotion in EMOTIONS],
        scenes=scenes,
        tracks=tracks,
        people=people.people_cards(analysis, end),
        forgotten=analysis.run.get("forgotten", ""),
        n_tracks=len(analysis.tracks),
        n_usable_tracks=len(leaders),
        has_crops=bool(analysis.faces["crop"].notna().any()),
        accounted=evidence.accounted(analysis),
        unjudged=evidence.unjudged(scenes),
        gaps=gaps.overview(compared, scenes),
        settings=evidence.settings(analysis.run),
        rules=analysis.run.get("settings", {}).get("emotions", {}),
        no_feeling=words.NO_FEELING,
    )


def _title(analysis: Analysis, end: float) -> dict[str, Any]:
    film, run = analysis.film, analysis.run
    coverage = run.get("coverage", {})
    made = datetime.fromisoformat(run["made"]) if "made" in run else None
    sources = set(analysis.scenes["source"])
    return {
        "name": words.printable(film.path.name),
        "kind": film.kind,
        "guessed": "guessed" in sources,
        "length": words.length(end) if film.kind == "video" else words.count(len(analysis.shots), "picture"),
        "size": f"{film.width} × {film.height}",
        "rate": f"{float(film.frame_rate):.5g} frames a second" if film.kind == "video" else "",
        "codec": film.codec,
        "n_shots": f"{len(analysis.shots):,}",
        "scenes_from": "guessed from the pictures"
        if "guessed" in sources
        else "as listed in your sheet"
        if "sheet" in sources
        else "",
        "covered": words.percent(100 * coverage["face"]) if "face" in coverage else "–",
        "made": f"{made.day} {made:%B %Y}" if made else "",
        "version": run.get("versions", {}).get("scenefer", ""),
        "id": film.id,
    }


def _end(analysis: Analysis) -> float:
    """Tell where the axis of time ends: with the film, or with the part of it that was read."""
    return max([1.0, *analysis.shots["end"].tail(1), *analysis.scenes["end"].tail(1)])
