"""What the page of a session is told: once what does not change, then each picture with what was read in it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from scenefer.core import geometry, jpeg
from scenefer.core.language import Language
from scenefer.core.schema import EMOTIONS
from scenefer.report.emotion_curves import COLOURS, ink_on
from scenefer.report.formatting import WHY_NOT

if TYPE_CHECKING:
    import numpy as np

    from scenefer.live.session import Session, View

_WIDTH = 640  # px of the picture as it is sent
_QUALITY = 75


def about(name: str, intended: np.ndarray | None, meant: str | None, record: str | None, language: Language) -> Any:
    """Say what does not change: the words of the page, the emotions with their colours, and what is intended.

    Args:
        name: of the source.
        intended: (7,) shares.
        meant: the same, as it was said.
        record: the folder that is recorded to.
    """
    say = language.say
    return {
        "language": language.code,
        "name": name,
        "meant": meant,
        "record": record,
        "emotions": [
            {
                "name": language.emotion(emotion),
                "colour": COLOURS[emotion],
                "ink": ink_on(COLOURS[emotion]),
                "intended": None if intended is None else float(intended[place]),
            }
            for place, emotion in enumerate(EMOTIONS)
        ],
        "why": {why: say(words) for why, words in WHY_NOT.items()},
        "words": {  # what the page itself fills in stays a place
            "seconds": say("The last ten seconds"),
            "seen": say("Who is seen"),
            "nobody": say("No face is seen"),
            "intended": say("intended: {what}", what=meant or ""),
            "apart": say("{percent}% of it is not as intended", percent="{percent}"),
            "pace": say(
                "{rate} pictures/s · {delay} ms late · {dropped} left out",
                rate="{rate}",
                delay="{delay}",
                dropped="{dropped}",
            ),
            "recorded": say("recorded to {folder}", folder=record or ""),
            "waiting": say("Waiting for the first picture"),
            "quiet": say("No picture for {n} s", n="{n}"),
            "ended": say("The session has ended"),
            "away": say("No connection to scenefer"),
            "full": say("Too many windows show this session; close one, and load this page again"),
            "shows": say("Detected from how faces look; no determination of what a person feels."),
        },
    }


def told(view: View) -> dict[str, Any]:
    """Write a picture and what was read in it as plain values; boxes are fractions of the picture."""
    height, width = view.pixels.shape[:2]
    size = (_WIDTH, max(1, round(height * _WIDTH / width))) if width > _WIDTH else (width, height)
    picture = jpeg.encode(geometry.shrink(view.pixels, *size), _QUALITY)
    x0, y0 = 1 / width, 1 / height
    return {
        "number": view.number,
        "time": round(view.time, 3),
        "size": size,
        "picture": base64.b64encode(picture).decode("ascii"),
        "faces": [
            {
                "number": face.number,
                "box": [round(edge * by, 4) for edge, by in zip(face.box, (x0, y0, x0, y0), strict=True)],
                "emotion": EMOTIONS.index(face.emotion),
                "probabilities": [round(value, 3) for value in face.probabilities],
                "why": face.why,
            }
            for face in view.faces
        ],
        "shares": None if view.shares is None else [round(float(share), 4) for share in view.shares],
        "misplaced": view.misplaced,
        "rate": round(view.pace.pictures, 1),
        "delay": None if view.pace.delay is None else round(1000 * view.pace.delay),
        "dropped": view.n_dropped,
    }


def state(session: Session) -> dict[str, Any]:
    """Say how a session goes where there is no new picture."""
    said = str(session.error) if session.error is not None else None
    return {"quiet": round(session.silence()), "ended": session.board.ended, "error": said}
