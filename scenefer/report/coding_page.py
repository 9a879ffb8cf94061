"""The page on which people judge a sample of faces: one by one, in random order, without what the program detected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenefer.comparison.coders import UNSURE
from scenefer.comparison.coding_sample import sample_id, shown
from scenefer.core.errors import SceneferError
from scenefer.core.film import clock
from scenefer.core.language import ENGLISH, Language
from scenefer.core.schema import EMOTIONS
from scenefer.report import html
from scenefer.report.images import inside_of, packed

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis

_PICTURE, _FACE = 320, 160  # px, the longer side


def render(analysis: Analysis, sample: pd.DataFrame, language: Language = ENGLISH) -> str:
    """Render the page; it is self-contained and makes no network requests.

    Args:
        sample: table VALIDATION_SAMPLE of this run.

    Raises:
        SceneferError: the run keeps no pictures of these faces.
    """
    faces = analysis.faces.set_index("face").loc[shown(sample)]
    if faces["crop"].isna().any():
        raise SceneferError("this run keeps no pictures of its faces, so that nobody can judge them; analyse it again")
    script = html.part("coding.js")
    codes = [*((emotion, language.emotion(emotion)) for emotion in EMOTIONS), (UNSURE, language.say("cannot tell"))]
    entries, pictures = _entries(analysis, faces)
    told = {
        "progress": language.say(
            "face {number} of {all}, {done} judged", number="{number}", all="{all}", done="{done}"
        ),
        "done": language.say("All faces are judged: save them."),
        "unkept": language.say("This browser keeps nothing between visits: save before you close the page."),
        "sample": sample_id(sample, analysis.film.id),
        "codes": [code for code, _ in codes],
    }
    return html.template("coding.html.j2").render(
        **html.speech(language),
        language=language,
        policy=html.policy([script]),
        style=html.part("style.css") + html.part("coding.css"),
        script=script,
        name=analysis.film.path.name,
        codes=[((place + 1) % len(codes), code, word) for place, (code, word) in enumerate(codes)],
        content=html.json_of({**told, "faces": entries, "pictures": pictures}),
    )


def _entries(analysis: Analysis, faces: pd.DataFrame) -> tuple[list[dict[str, Any]], list[str | None]]:
    """Lay out the faces in their order, each with the stored picture of its shot that is nearest in time."""
    times, shots = analysis.pictures["time"].to_numpy(), analysis.shots
    pictures: dict[int, str | None] = {}
    entries = []
    size = (analysis.film.width, analysis.film.height)
    boxes = faces[["x0", "y0", "x1", "y1"]].to_numpy().tolist()
    for face, time, crop, box in zip(faces.index.tolist(), faces["time"].tolist(), faces["crop"], boxes, strict=True):
        shot = shots.loc[(shots["start"] <= time + 1e-6) & (shots["end"] > time + 1e-6)]
        inside = (times >= shot["start"].iloc[0]) & (times < shot["end"].iloc[0]) if len(shot) else times < 0
        row = int((abs(times - time) + 1e9 * ~inside).argmin()) if inside.any() else None
        if row is not None and row not in pictures:
            pictures[row] = packed(analysis.pictures["jpeg"].iloc[row], _PICTURE)
        entries.append(
            {
                "face": face,
                "when": clock(time),
                "picture": row,
                "crop": packed(crop, _FACE, inside=inside_of(box, *size)),
            }
        )
    places = {row: place for place, row in enumerate(pictures)}
    return [{**one, "picture": places.get(one["picture"])} for one in entries], list(pictures.values())
