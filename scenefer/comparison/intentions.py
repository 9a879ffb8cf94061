"""Intended emotions of a scene, as stated in a sheet: one emotion, or a mixture of several.

Labels are understood in English and Indonesian, as nouns and as adjectives, and are normalised to the seven emotions.
Other words come from directors' vocabulary, ``words.toml``, which users may replace; notices tell which were used.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from scenefer.core.errors import PlanError
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import did_you_mean, nearest, printable

_LABELS = {
    "angry": "anger furious mad marah amarah kemarahan",
    "disgust": "disgusted disgusting disgustful revulsion jijik muak kejijikan",
    "fear": "fearful afraid scared frightened takut ketakutan",
    "happy": "happiness joy joyful senang bahagia gembira kesenangan kebahagiaan",
    "sad": "sadness sorrow sedih kesedihan",
    "surprise": "surprised surprising shock shocked terkejut kaget keterkejutan",
    "neutral": "netral",
}
SYNONYMS = {word: emotion for emotion in EMOTIONS for word in (emotion, *_LABELS[emotion].split())}

_REMEDY = f"the labels are {', '.join(EMOTIONS)}; `scenefer words` lists other words, and --words FILE adds yours"
_BETWEEN = re.compile(r"\s*[/+&,|]\s*|\s+(?:and|dan|und|et|y)\s+")
_NEAR = 0.7  # minimum similarity of an unknown word to a known one for a suggestion
_LARGEST = 1e6  # maximum share; with a larger one, rounding would lose the others


class Vocabulary:
    """The words that a list may use, and a record of how words other than the seven were understood.

    Args:
        words: meanings by word, from the user; they override the shipped ones, and an empty meaning removes a word.
    """

    def __init__(self, words: Mapping[str, str] = {}) -> None:
        self._own = {word.casefold(): meaning for word, meaning in words.items() if word.casefold() not in EMOTIONS}
        known = {**SYNONYMS, **shipped_words(), **self._own}
        self.words = {word: meaning for word, meaning in known.items() if meaning}
        self._used: dict[str, str] = {}
        self._bracketed: dict[str, str] = {}
        self._kept: dict[str, str] = {}

    def read(self, text: str) -> str | None:
        """Return an intention in normal form and record the directors' words in it; None if the text states none.

        Raises:
            ValueError: as ``parse_intention``.
        """
        meant = self.parse(text)
        for word in _words_in(text):
            if self._is_directors(word):
                self._used[word] = self.words[word.casefold()]
        return meant

    def read_bracket(self, text: str) -> str | None:
        """Return the intention in brackets after a name; None if the text is not one and belongs to the name."""
        try:
            meant = self.parse(text)
        except ValueError:
            unknown = [word for word in map(str.casefold, _words_in(text)) if word not in self.words]
            near = next(filter(None, (nearest(word, self.words, _NEAR) for word in unknown)), None)
            if near is not None:
                self._kept[text] = near
            return None
        if meant is not None and any(word.casefold() not in EMOTIONS for word in _words_in(text)):
            self._bracketed[text] = meant
        return meant

    def parse(self, text: str) -> str | None:
        """Return an intention in normal form, without recording words; None if the text states none.

        Raises:
            ValueError: as ``parse_intention``.
        """
        return write_intention(parse_intention(text, self.words)) or None

    def notices(self) -> list[str]:
        """Return sentences that tell how words were understood."""
        said = []
        if self._used:
            said.append(f"words of directors, which --words FILE replaces: {_pairs(self._used)}")
        if self._bracketed:
            said.append(f"read in brackets as what is intended: {_pairs(self._bracketed)}")
        if self._kept:
            kept = ", ".join(f"[{text}] (did you mean [{near}]?)" for text, near in self._kept.items())
            said.append(f"in brackets, and kept as a part of the name: {kept}")
        return said

    def as_toml(self) -> str:
        """Format the words of directors and their meanings as TOML for ``read_words``; plain labels as comments."""
        labels = [
            f"# {emotion}: {', '.join(word for word, meaning in SYNONYMS.items() if meaning == emotion)}"
            for emotion in EMOTIONS
        ]
        words = [word for word in sorted(self.words) if self._is_directors(word)]
        return "\n".join([*labels, "", "[words]", *(f"{_key(word)} = {_quoted(self.words[word])}" for word in words)])

    def _is_directors(self, word: str) -> bool:
        return word.casefold() in self._own or word.casefold() not in SYNONYMS


def parse_intention(text: str, words: Mapping[str, str] = SYNONYMS) -> dict[str, float]:
    """Parse ``angry`` or ``happy:0.6;neutral:0.4`` into shares of the intended emotions, largest first, sum 1.

    Args:
        words: intentions by word, in lower case.

    Returns:
        Shares by emotion; empty if nothing was intended.

    Raises:
        ValueError: a label, a share or the list is invalid; the message says which, and suggests a correction.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    shares: dict[str, float] = {}
    for part in parts:
        word, colon, share = (piece.strip() for piece in part.partition(":"))
        meaning = _meaning(word, words)
        if len(meaning) == 1 and next(iter(meaning)) in shares:
            raise ValueError(f"{next(iter(meaning))} stands in it twice")
        if not colon and len(parts) > 1:
            raise ValueError(f'{word} has no share: write a mixture as "happy:0.6;neutral:0.4"')
        whole = _share(share, word) if colon else 1.0
        for emotion, portion in meaning.items():
            shares[emotion] = shares.get(emotion, 0.0) + whole * portion
    total = sum(shares.values())
    return {emotion: share / total for emotion, share in sorted(shares.items(), key=lambda item: -item[1])}


def write_intention(shares: dict[str, float]) -> str:
    """Format shares for ``parse_intention``; an empty text if nothing is intended."""
    if len(shares) == 1:
        return next(iter(shares))
    return ";".join(f"{emotion}:{share:.4g}" for emotion, share in shares.items())


@cache
def shipped_words() -> dict[str, str]:
    """Return the shipped words of directors and their meanings."""
    return dict(tomllib.loads(files("scenefer.comparison").joinpath("words.toml").read_text(encoding="utf-8"))["words"])


def read_words(file: Path) -> dict[str, str]:
    """Read a user's words from a TOML file with lines like ``tense = "fear"``, with or without a table ``[words]``.

    Raises:
        PlanError: the file cannot be read, or a meaning is not an intention.
    """
    try:
        stated = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlanError(
            f'{printable(file)} cannot be read as TOML: {error}; write lines like: tense = "fear"'
        ) from error
    return check_words(stated.get("words", stated), printable(file))


def check_words(stated: object, where: str) -> dict[str, str]:
    """Check that the meanings of words are intentions, and return them with words in lower case.

    Raises:
        PlanError: a meaning is not an intention.
    """
    if not isinstance(stated, Mapping):
        raise PlanError(f'{where}: words must be lines like: tense = "fear"')
    for word, meaning in stated.items():
        try:
            parse_intention(meaning if isinstance(meaning, str) else str(meaning))
        except ValueError as error:
            raise PlanError(f"{where}: {word} = {meaning!r} is no intention: {error}") from error
    return {str(word).casefold(): str(meaning) for word, meaning in stated.items()}


def _meaning(word: str, words: Mapping[str, str]) -> dict[str, float]:
    known = words.get(word.casefold())
    if known:
        return {known: 1.0} if known in EMOTIONS else parse_intention(known)
    several = [part for part in _BETWEEN.split(word.casefold()) if part]
    if len(several) > 1 and all(part in words for part in several):
        mixture = ";".join(f"{part}:{1 / len(several):.2g}" for part in several)
        raise ValueError(f'"{word}": write a mixture with its shares, like "{mixture}"')
    raise ValueError(f'"{word}": {did_you_mean(word.casefold(), words, _REMEDY, cutoff=_NEAR)}')


def _share(text: str, word: str) -> float:
    try:
        share = float(text.removesuffix("%").replace(",", ".")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not 0 < share <= _LARGEST:
        raise ValueError(f'the share of {word} is "{text}"; write a number above 0, of 1 or of 100')
    return share


def _words_in(text: str) -> list[str]:
    return [word for part in text.split(";") if (word := part.partition(":")[0].strip())]


def _pairs(meanings: Mapping[str, str]) -> str:
    return ", ".join(f"{word} = {meaning}" for word, meaning in meanings.items())


def _key(word: str) -> str:
    return word if re.fullmatch(r"[A-Za-z0-9_-]+", word) else _quoted(word)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a valid TOML basic string
