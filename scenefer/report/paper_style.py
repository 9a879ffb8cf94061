"""What figures for papers share: sizes, colours, the key of the seven, and names that fit where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from matplotlib.patches import Rectangle

from scenefer.core.language import Language
from scenefer.core.schema import EMOTIONS
from scenefer.report.emotion_curves import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 180 / 25.4  # inches: two columns of a printed page
INK, SOFT, LINE = "#1b1c1f", "#5c5a55", "#cfcac0"
HATCHED: dict[str, Any] = {  # moments that were excluded by hand, as in the report
    "facecolor": "none", "edgecolor": SOFT, "hatch": "/////", "linewidth": 0.5,
}  # fmt: skip


def room(text: str) -> int:
    """Count the places that a text takes in a line; letters of Chinese, Japanese and Korean take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def shortened(text: str, most: int) -> str:
    """Cut a text to ``most`` places, the last one an ellipsis."""
    if room(text) <= most:
        return text
    while text and room(text) > most - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def wrapped(text: str, most: int) -> str:
    """Divide a text into two lines of up to ``most`` places, between words where it can be; what is left is cut."""
    if room(text) <= most:
        return text
    words, first = text.split(" "), ""
    while words and room(f"{first} {words[0]}".strip()) <= most:
        first = f"{first} {words.pop(0)}".strip()
    if not first:
        whole = words.pop(0)
        while room(first + whole[len(first)]) <= most:
            first += whole[len(first)]
        words.insert(0, whole[len(first) :])
    return f"{first}\n{shortened(' '.join(words), most)}" if words else first


def legend(plate: Figure, language: Language, hatched: bool) -> None:
    """Put the key of the seven below a plate, and that of excluded moments if there are any."""
    swatches = [Rectangle((0, 0), 1, 1, color=COLOURS[emotion]) for emotion in EMOTIONS]
    names = [language.emotion(emotion) for emotion in EMOTIONS]
    if hatched:
        swatches.append(Rectangle((0, 0), 1, 1, **HATCHED))
        names.append(language.say("excluded by hand"))
    plate.legend(
        swatches, names, loc="outside lower center", ncols=8, frameon=False, handlelength=0.9, handleheight=0.9
    )
