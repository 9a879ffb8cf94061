"""Text helpers: safe single lines, natural sort order, and suggestions for misspelt names."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches


def printable(text: str | os.PathLike[str]) -> str:
    """Make one line of a text or path that is safe to print; control characters and undecodable bytes are escaped."""
    decodable = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in decodable)


def whole(percent: float) -> str:
    """Write a share of 0..100 as a whole number; what is above 0 and would round to it as "<1"."""
    return "<1" if 0 < percent <= 0.5 else f"{percent:.0f}"


def natural(text: str) -> list[str | int]:
    """Make a key for natural sort order, 2 before 10; text and numbers alternate, so keys are always comparable."""
    parts = re.split(r"(\d+)", text)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name most similar to a word, or None if none is similar enough.

    Args:
        cutoff: minimum similarity of a candidate, 0 to 1.
    """
    close = get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None, cutoff: float = 0.6) -> str:
    """Suggest the known name most similar to a word.

    Args:
        otherwise: text to return if no name is similar; default: a list of all known names.
        cutoff: as for ``nearest``.
    """
    names = list(known)
    close = nearest(word, names, cutoff)
    if close is not None:
        return f"did you mean {close!r}?"
    return f"known: {', '.join(sorted(names))}" if otherwise is None else otherwise


def known_names(word: str, known: Iterable[str]) -> str:
    """List all known names and suggest the one most similar to a word."""
    names = sorted(filter(None, known))  # "" where none is a choice
    hint = did_you_mean(word, names, otherwise="")
    return f"known: {', '.join(names)}{hint and f'; {hint}'}"


def listed(names: Iterable[str]) -> str:
    """List names for help and messages: a, b or c."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def looked_up(name: str) -> str:
    """Write a name as it is looked up: without regard to case, to spaces around it, and to how macOS stores an ë."""
    return unicodedata.normalize("NFC", name.strip()).casefold()
