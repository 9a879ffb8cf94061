"""The report: one self-contained HTML page that makes no network requests.

build(analysis) ──▶ director.py               the first page, for whoever made the film: director.html.j2, director.css
                    balance_curve.py          its curve, pleasant against unpleasant
                    moments.py                the scenes to look at again
                    cards.py                  a card a scene, a card a track
                    faces.py                  the faces of a card
                    images.py                 pictures, reduced and packed
                    plotly_arc.py             the arc, for plotly
                    plotly_lanes.py           the tracks, for plotly
                    plotly_layout.py          what both have: axes, margins, scenes
                    scene_arc.py              the arc inside a scene
                    intended_vs_detected.py   intended against detected
                    people.py                 who is seen, and their arcs: people.html.j2, people.css
                    player_data.py            what the player knows: player.html.j2, player.css, player*.js
                    judged_faces.py           what a reader said of faces: judging.html.j2, judging.css, judging.js
                    editing.py                what a reader corrected: editing.html.j2, editing.css, editing*.js
                    emotion_curves.py         what all curves have: colours, smoothing, the axis of time
                    reliability.py            how reliable the reader is on film
                    speakers.py               who speaks in a scene
                    film_times.py             how its times are written and read: film_times.js
                    coverage.py               what was looked at, settings
                    formatting.py             numbers and findings
                    warnings.py               what a run has kept in English
                    html.py                   what every page has: template.html.j2, style.css, report.js

library_page.py makes the page that lists the films of a library, with arc_thumbnail.py; comparison_page.py the one that
sets runs side by side, with nearest_take.py.

All text for the reader comes from ``core/language.py``, in the templates through ``_`` and ``many``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scenefer.analysis.edits import excluded
from scenefer.analysis.scene_emotions import rule_for
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.analysis.shots import length_of
from scenefer.analysis.steadying import REACH
from scenefer.core.language import ENGLISH, Language
from scenefer.core.run_folder import REPORT
from scenefer.core.schema import EMOTIONS
from scenefer.report import (
    cards,
    coverage,
    director,
    editing,
    formatting,
    html,
    images,
    intended_vs_detected,
    judged_faces,
    people,
    plotly_arc,
    plotly_lanes,
    reliability,
    warnings,
)
from scenefer.report.emotion_curves import COLOURS, end_of
from scenefer.report.player_data import player_data

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison

_OPEN = 24  # with up to so many scenes, all cards are open; with more, all are folded
_LISTED = 30  # number of people that the scene filter offers
_STYLES = ("style.css", "director.css", "judging.css", "editing.css", "people.css", "player.css")
_SCRIPTS = (
    *("plotly-basic.min.js", "scene_detail.js", "report.js"),  # plotly first: the page keeps it as text
    *("first_page.js", "scene_list.js", "judging.js", "film_times.js", "editing_rules.js", "editing.js"),
)
_PLAYER = ("player_data.js", "player_overlay.js", "player.js")


def build(
    analysis: Analysis, compared: Comparison | None = None, language: Language = ENGLISH
) -> dict[str, str | bytes]:
    """Make the files of a report, by name: ``report.html``, and the pictures of its scenes again as JPEG files.

    Args:
        compared: intended against detected, if something was intended.
    """
    scenes = _scenes(analysis, compared, language)
    return {REPORT: _page(analysis, compared, scenes, language), **_pictures(scenes)}


def render(analysis: Analysis, compared: Comparison | None = None, language: Language = ENGLISH) -> str:
    """Render the report of a film; names are escaped, whatever they contain."""
    return _page(analysis, compared, _scenes(analysis, compared, language), language)


def _scenes(analysis: Analysis, compared: Comparison | None, language: Language) -> list[dict[str, Any]]:
    return cards.scene_cards(analysis, intended_vs_detected.of_scenes(compared, language), language)


def _pictures(scenes: list[dict[str, Any]]) -> dict[str, str | bytes]:
    shown = {
        f"pictures/scene-{scene['id']:03}-{kind}-{number}.jpg": entry["picture"]
        for scene in scenes
        for kind, entries in (("keyframe", scene["keyframes"]), ("face", scene["faces"]))
        for number, entry in enumerate(entries, start=1)
    }
    return {name: images.unpacked(packed) for name, packed in shown.items() if packed is not None}


def _seen_people(scenes: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """List the people that the scene filter offers, in order of first appearance: those seen in the most scenes."""
    seen = Counter(person for scene in scenes for person in scene["people"])
    return sorted(person for person, _ in seen.most_common(_LISTED))


def _rules(analysis: Analysis) -> dict[str, Any]:
    """Return the rules for enough evidence in this run; empty if the run does not record them."""
    stated = analysis.run.get("settings", {}).get("emotions", {})
    return asdict(rule_for(analysis.film, EmotionSettings(**stated))) if stated else {}


def _steadied(analysis: Analysis) -> float:
    """Return the seconds within which faces were read together; 0 where each was alone, as in earlier versions."""
    stated = analysis.run.get("settings", {}).get("expression", {})
    return REACH * stated.get("steadied_over", 0.0) if analysis.film.kind == "video" else 0.0


def _page(analysis: Analysis, compared: Comparison | None, scenes: list[dict[str, Any]], language: Language) -> str:
    tracks, leaders = cards.track_cards(analysis, language)
    end = end_of(analysis)
    plays = analysis.film.kind == "video"
    scripts = [html.part(name) for name in (*_SCRIPTS, *(_PLAYER if plays else ()))]
    drawn = {
        "arc": plotly_arc.arc(analysis, end, {card["id"]: card["meant"] for card in scenes}, language),
        "lanes": plotly_lanes.lanes(analysis, leaders, end, language),
        "decimal": language.decimal_mark,
    }
    return html.template("template.html.j2").render(
        **html.speech(language),
        language=language,
        policy=html.policy(scripts, media=plays),
        style="".join(html.part(name) for name in _STYLES),
        player=html.json_of(player_data(analysis, language)) if plays else "",
        scripts=scripts,
        figures=html.json_of(drawn),
        heights={name: drawn[name]["height"] for name in ("arc", "lanes")},
        film=_title(analysis, language),
        director=director.page(analysis, compared, scenes, end, language),
        warnings=[
            language.retell(formatting.printable(warning), warnings.SHAPES)
            for warning in analysis.run.get("warnings", [])
        ],
        state=analysis.run.get("state", "done"),
        headline=formatting.headline(
            [(card["name"], card["leader"]["emotion"], card["clear"]) for card in scenes if card["distribution"]],
            len(scenes),
            language,
        ),
        emotions=[(language.emotion(emotion), COLOURS[emotion]) for emotion in EMOTIONS],
        scenes=scenes,
        folded=len(scenes) > _OPEN,
        seen_people=_seen_people(scenes),
        tracks=tracks,
        people=people.people_cards(analysis, end, language),
        forgotten=analysis.run.get("forgotten", ""),
        n_tracks=len(analysis.tracks),
        n_usable_tracks=len(leaders),
        has_crops=bool(analysis.faces["crop"].notna().any()),
        accounted=coverage.accounted(analysis, language),
        unjudged=coverage.unjudged(scenes),
        looked_at=judged_faces.looked_at(analysis, cards.clock(analysis, language), language),
        questions=html.json_of(judged_faces.questions(analysis.film.id, language)),
        editing=html.json_of(editing.page_data(analysis, language)),
        excluded=bool(excluded(analysis.edits)),
        by_hand=editing.provenance(analysis, language),
        seven=[(emotion, language.emotion(emotion)) for emotion in EMOTIONS],
        judged=reliability.judged(analysis.run, language),
        trust=reliability.sentence(analysis.run, language),
        gaps=intended_vs_detected.overview(compared, scenes, language),
        settings=coverage.settings(analysis.run),
        rules=_rules(analysis),
        steadied=_steadied(analysis),
        no_feeling=language.say(formatting.NO_FEELING),
    )


def _title(analysis: Analysis, language: Language) -> dict[str, Any]:
    film, run = analysis.film, analysis.run
    coverage = run.get("coverage", {})
    made = datetime.fromisoformat(run["made"]) if "made" in run else None
    sources = set(analysis.scenes["source"])
    video = film.kind == "video"
    rate = f"{float(film.frame_rate):.5g}".replace(".", language.decimal_mark)
    return {
        "name": formatting.printable(film.path.name),
        "kind": film.kind,
        "guessed": "guessed" in sources,
        "length": formatting.length(_length(analysis), language)
        if video
        else formatting.pictures(len(analysis.shots), language),
        "size": f"{film.width} × {film.height}",
        "shape": f"{film.width}/{film.height}",
        "rate": language.say("{n} frames a second", n=rate) if video else "",
        "n_shots": language.number(len(analysis.shots)),
        "scenes_from": language.say("guessed from the pictures")
        if "guessed" in sources
        else language.say("as listed in your sheet")
        if "sheet" in sources
        else "",
        "covered": formatting.percent(100 * coverage["face"], language) if "face" in coverage else "–",
        "made": language.date(made) if made else "",
        "version": run.get("versions", {}).get("scenefer", ""),
        "id": film.id,
    }


def _length(analysis: Analysis) -> float:
    """Return the length of the whole film in seconds, even if only a part was read.

    If the film states no length, or less than was read, return the length that was read: joined streams state only the
    length of the first one.
    """
    return max(analysis.film.duration or 0.0, length_of(analysis.shots))
