"""What readers read, in their language: sentences from a catalogue, numbers and dates as they are written there.

English sentences stand in the code, where they can be read; each other language is a gettext catalogue, languages/*.po,
that a translator can open in any of the usual editors. A test holds that no sentence of the code is missing in them.
Names in tables, files and options stay English everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

from scenefer.errors import PlanError

if TYPE_CHECKING:
    from datetime import date
    from gettext import NullTranslations

LANGUAGES = ("en", "id")


def marked(message: str) -> str:
    """Return ``message``; marks a sentence or word for the catalogues that is said elsewhere."""
    return message


_EMOTIONS = {
    name: name
    for name in (
        marked("angry"),
        marked("disgust"),
        marked("fear"),
        marked("happy"),
        marked("sad"),
        marked("surprise"),
        marked("neutral"),
        marked("positive"),
        marked("negative"),
    )
}


@dataclass(frozen=True)
class ReportSettings:
    language: str = "en"  # en or id: what the report, figures and overlays are written in


@dataclass(frozen=True)
class Language:
    """A language that reports can be written in."""

    code: str = "en"

    def __post_init__(self) -> None:
        if self.code not in LANGUAGES:
            raise PlanError(f"unknown language {self.code!r}; known: {', '.join(LANGUAGES)}")

    def say(self, message: str, /, **values: object) -> str:
        """Write a sentence; ``values`` fill its {places} and may be anything, they are never read as a sentence."""
        return _catalogue(self.code).gettext(message).format_map(values)

    def many(self, one: str, more: str, n: int, /, **values: object) -> str:
        """Write a sentence about ``n`` things in the form that the language has for so many; {n} is the number."""
        return _catalogue(self.code).ngettext(one, more, n).format_map({"n": self.number(n), **values})

    def emotion(self, name: str) -> str:
        """Write one of the seven, or of the clusters; ``name`` is its name in tables."""
        return self.say(_EMOTIONS.get(name, "{name}"), name=name)

    def number(self, value: float, decimals: int = 0) -> str:
        """Write a number with the language's marks: 1,200.5 or 1.200,5."""
        from babel.numbers import format_decimal

        return format_decimal(value, f"#,##0.{'0' * decimals}" if decimals else "#,##0", locale=self.code)

    @property
    def decimal_mark(self) -> str:
        return "," if self.code == "id" else "."

    def date(self, day: date) -> str:
        """Write a date: 22 March 2026."""
        from babel.dates import format_date

        return format_date(day, "d MMMM y", locale=self.code)

    def retell(self, sentence: str, shapes: Sequence[str]) -> str:
        """Say what a run has kept in English, like a warning, in this language; of no known shape, it stays as it is.

        Args:
            shapes: sentences with {places}, as they stand in the catalogues.
        """
        for shape in shapes:
            if found := _pattern(shape).fullmatch(sentence):
                return self.say(shape, **found.groupdict())
        return sentence


ENGLISH = Language()


@cache
def _catalogue(code: str) -> NullTranslations:
    from gettext import GNUTranslations, NullTranslations

    if code == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    text = files("scenefer").joinpath("languages", f"{code}.po").read_bytes()
    write_mo(compiled, read_po(BytesIO(text), locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    """Make an expression that finds the values in a sentence of this shape."""
    pieces = re.split(r"\{(\w+)\}", shape)
    return re.compile(
        "".join(f"(?P<{piece}>.+)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)), re.S
    )
