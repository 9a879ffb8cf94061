"""Translation of reports: sentences from a catalogue, numbers and dates in the format of the language.

The English sentences are in the code. Every other language is a gettext catalogue, languages/*.po, which translators
can edit with the usual tools. A test checks that the catalogues contain every sentence in the code. Names of tables,
files and options stay English in all languages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

from scenefer.core.errors import PlanError
from scenefer.core.settings import Settings, one_of

if TYPE_CHECKING:
    from datetime import date
    from gettext import NullTranslations

LANGUAGES = ("en", "id")


def marked(message: str) -> str:
    """Return ``message`` unchanged; marks a text for extraction into the catalogues if another place translates it."""
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
class ReportSettings(Settings):
    """How the report is written."""

    language: str = one_of("en", LANGUAGES)  # en or id: language of the report, figures and overlays


@dataclass(frozen=True)
class Language:
    """A language that reports can be written in."""

    code: str = "en"

    def __post_init__(self) -> None:
        if self.code not in LANGUAGES:
            raise PlanError(f"unknown language {self.code!r}; known: {', '.join(LANGUAGES)}")

    def say(self, message: str, /, **values: object) -> str:
        """Translate a sentence and fill its {placeholders} with ``values``, which are not translated."""
        return _catalogue(self.code).gettext(message).format_map(values)

    def many(self, one: str, more: str, n: int, /, **values: object) -> str:
        """Translate a sentence about ``n`` things with the plural form of the language; {n} becomes the number."""
        return _catalogue(self.code).ngettext(one, more, n).format_map({"n": self.number(n), **values})

    def emotion(self, name: str) -> str:
        """Translate the name of an emotion or a cluster; ``name`` is its name in tables."""
        return self.say(_EMOTIONS.get(name, "{name}"), name=name)

    def number(self, value: float, decimals: int = 0) -> str:
        """Format a number with the separators of the language: 1,200.5 or 1.200,5."""
        from babel.numbers import format_decimal

        return format_decimal(value, f"#,##0.{'0' * decimals}" if decimals else "#,##0", locale=self.code)

    @property
    def decimal_mark(self) -> str:
        return "," if self.code == "id" else "."

    def date(self, day: date) -> str:
        """Format a date: 22 March 2026."""
        from babel.dates import format_date

        return format_date(day, "d MMMM y", locale=self.code)

    def retell(self, sentence: str, shapes: Sequence[str]) -> str:
        """Translate an English sentence stored in a run, such as a warning; without a matching shape, return it as is.

        Args:
            shapes: sentences with {placeholders}, as in the catalogues.
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
    """Make a regular expression that extracts the values from a sentence of this shape."""
    pieces = re.split(r"\{(\w+)\}", shape)
    return re.compile(
        "".join(f"(?P<{piece}>.+)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)), re.S
    )
