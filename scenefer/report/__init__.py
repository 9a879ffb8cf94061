"""The report: one HTML page that holds all it shows and asks the network for nothing.

build(analysis) ──▶ cards.py     a card a scene, a card a track       pictures.py  chosen and packed
                    figures.py   the arc and the tracks, for plotly   words.py     numbers and findings
                    evidence.py  what was looked at, settings         template.html.j2, style.css, report.js
                    gaps.py      intended against detected
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scenefer.report import cards, evidence, figures, gaps, pictures, words
from scenefer.tables import EMOTIONS

if TYPE_CHECKING:
    import jinja2

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
    scripts = [_part("plotly-basic.min.js"), _part("report.js")]
    drawn = {
        "arc": figures.arc(analysis, end, {card["id"]: card["meant"] for card in scenes}),
        "lanes": figures.lanes(analysis, leaders, end),
    }
    return _template().render(
        policy=_policy(scripts),
        style=_part("style.css"),
        scripts=scripts,
        figures=_json(drawn),
        film=_title(analysis, end),
        warnings=[words.printable(warning) for warning in analysis.run.get("warnings", [])],
        state=analysis.run.get("state", "done"),
        headline=words.headline(
            [(card["name"], card["clear"]) for card in scenes if card["distribution"]], len(scenes)
        ),
        emotions=[(emotion, figures.COLOURS[emotion]) for emotion in EMOTIONS],
        scenes=scenes,
        tracks=tracks,
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


def _policy(scripts: list[str]) -> str:
    """Allow the page its own scripts, by hash, its styles and its pictures, and nothing else."""
    hashes = " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    rules = (
        "default-src 'none'",
        f"script-src {hashes}",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _json(values: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _part(name: str) -> str:
    return files("scenefer.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_part("template.html.j2"))
