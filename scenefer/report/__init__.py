"""The report: one HTML page that holds all it shows and asks the network for nothing.

build(analysis) ──▶ cards.py     a card a scene, a card a track       pictures.py  chosen and packed
                    faces.py     the faces of a card                  words.py     numbers and findings
                    figures.py   the arc and the tracks, for plotly   warnings.py  what a run has kept in English
                    inside.py    the arc inside a scene               template.html.j2, style.css, report.js
                    evidence.py  what was looked at, settings             page.py     what every page has
                    gaps.py      intended against detected                people.html.j2, people.css
                    people.py    who is seen, and their arcs

library.py makes the page that lists the films of a library, with thumbnails.py.

What a reader reads is said by ``language.py``, in the template by ``_`` and ``many``.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scenefer.curves import COLOURS
from scenefer.emotions import EmotionSettings, rule_for
from scenefer.language import ENGLISH, Language
from scenefer.report import cards, evidence, figures, gaps, page, people, pictures, warnings, words
from scenefer.schema import EMOTIONS
from scenefer.shots import length_of

if TYPE_CHECKING:
    from scenefer.analysis import Analysis
    from scenefer.comparison import Comparison


def build(
    analysis: Analysis, compared: Comparison | None = None, language: Language = ENGLISH
) -> dict[str, str | bytes]:
    """Make the files of a report, by name: ``report.html``, and the pictures of its scenes once more, as JPEG files.

    Args:
        compared: what was intended beside what was detected, where something was intended.
    """
    scenes = _scenes(analysis, compared, language)
    return {"report.html": _page(analysis, compared, scenes, language), **_pictures(scenes)}


def render(analysis: Analysis, compared: Comparison | None = None, language: Language = ENGLISH) -> str:
    """Render the report of a film; every name in it is text, whatever it contains."""
    return _page(analysis, compared, _scenes(analysis, compared, language), language)


def _scenes(analysis: Analysis, compared: Comparison | None, language: Language) -> list[dict[str, Any]]:
    verdicts, corrected = gaps.of_scenes(compared, language), gaps.corrected(compared, language)
    return cards.scene_cards(analysis, verdicts, language, corrected)


def _pictures(scenes: list[dict[str, Any]]) -> dict[str, str | bytes]:
    shown = {
        f"pictures/scene-{scene['id']:03}-{kind}-{number}.jpg": entry["picture"]
        for scene in scenes
        for kind, entries in (("keyframe", scene["keyframes"]), ("face", scene["faces"]))
        for number, entry in enumerate(entries, start=1)
    }
    return {name: pictures.unpacked(packed) for name, packed in shown.items() if packed is not None}


def _rules(analysis: Analysis) -> dict[str, Any]:
    """Return what counts as enough evidence in this run; empty where it does not say."""
    stated = analysis.run.get("settings", {}).get("emotions", {})
    return asdict(rule_for(analysis.film, EmotionSettings(**stated))) if stated else {}


def _page(analysis: Analysis, compared: Comparison | None, scenes: list[dict[str, Any]], language: Language) -> str:
    tracks, leaders = cards.track_cards(analysis, language)
    end = _end(analysis)
    scripts = [page.part("plotly-basic.min.js"), page.part("report.js")]
    drawn = {
        "arc": figures.arc(analysis, end, {card["id"]: card["meant"] for card in scenes}, language),
        "lanes": figures.lanes(analysis, leaders, end, language),
        "decimal": language.decimal_mark,
    }
    return page.template("template.html.j2").render(
        **page.speech(language),
        language=language,
        policy=page.policy(scripts),
        style=page.part("style.css") + page.part("people.css"),
        scripts=scripts,
        figures=page.json_of(drawn),
        heights={name: drawn[name]["height"] for name in ("arc", "lanes")},
        film=_title(analysis, language),
        warnings=[
            language.retell(words.printable(warning), warnings.SHAPES) for warning in analysis.run.get("warnings", [])
        ],
        state=analysis.run.get("state", "done"),
        headline=words.headline(
            [(card["name"], card["clear"]) for card in scenes if card["distribution"]], len(scenes), language
        ),
        emotions=[(language.emotion(emotion), COLOURS[emotion]) for emotion in EMOTIONS],
        scenes=scenes,
        tracks=tracks,
        people=people.people_cards(analysis, end, language),
        forgotten=analysis.run.get("forgotten", ""),
        n_tracks=len(analysis.tracks),
        n_usable_tracks=len(leaders),
        has_crops=bool(analysis.faces["crop"].notna().any()),
        accounted=evidence.accounted(analysis, language),
        unjudged=evidence.unjudged(scenes),
        gaps=gaps.overview(compared, scenes, language),
        settings=evidence.settings(analysis.run),
        rules=_rules(analysis),
        no_feeling=language.say(words.NO_FEELING),
    )


def _title(analysis: Analysis, language: Language) -> dict[str, Any]:
    film, run = analysis.film, analysis.run
    coverage = run.get("coverage", {})
    made = datetime.fromisoformat(run["made"]) if "made" in run else None
    sources = set(analysis.scenes["source"])
    video = film.kind == "video"
    rate = f"{float(film.frame_rate):.5g}".replace(".", language.decimal_mark)
    return {
        "name": words.printable(film.path.name),
        "kind": film.kind,
        "guessed": "guessed" in sources,
        "length": words.length(_length(analysis), language) if video else words.pictures(len(analysis.shots), language),
        "size": f"{film.width} × {film.height}",
        "rate": language.say("{n} frames a second", n=rate) if video else "",
        "codec": film.codec,
        "n_shots": language.number(len(analysis.shots)),
        "scenes_from": language.say("guessed from the pictures")
        if "guessed" in sources
        else language.say("as listed in your sheet")
        if "sheet" in sources
        else "",
        "covered": words.percent(100 * coverage["face"], language) if "face" in coverage else "–",
        "made": language.date(made) if made else "",
        "version": run.get("versions", {}).get("scenefer", ""),
        "id": film.id,
    }


def _length(analysis: Analysis) -> float:
    """Tell how long the film is, in seconds, whatever part of it was read.

    How much was read, where the film does not say; and where it says less: streams that were joined state the length of
    the first one.
    """
    return max(analysis.film.duration or 0.0, length_of(analysis.shots))


def _end(analysis: Analysis) -> float:
    """Tell where the axis of time ends: with the film, or with the part of it that was read."""
    return max([1.0, *analysis.shots["end"].tail(1), *analysis.scenes["end"].tail(1)])
