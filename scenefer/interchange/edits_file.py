"""The file in which a report saves what somebody corrected in it: JSON that a person can read, and write.

{"format": "scenefer edits", "version": 1, "film": …, "analysis": …, "edits": [
  {"edit": "rename", "person": 3, "name": "Anna", "says": "…"},
  {"edit": "merge", "person": 5, "into": 3},
  {"edit": "split", "track": 12, "person": 9},
  {"edit": "boundary", "scene": "kitchen", "edge": "start", "time": 61.2},
  {"edit": "exclude", "start": 12.0, "end": 14.5}]}

What "says" says is for people, and not read. Times are seconds; people have the number that the report shows.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from scenefer.analysis.edits import KINDS, Edit, Edits
from scenefer.core.errors import SheetError
from scenefer.core.text import did_you_mean, printable

FORMAT, VERSION = "scenefer edits", 1

_WHOLE = ("format", "version", "film", "analysis", "edits")
_FOR_PEOPLE = {"says"}
_LONGEST = 100  # characters of a name
_LATEST = 1e9  # seconds; NaN and infinity are beyond it too
_LARGEST = 1_000_000  # of a number of a person or track


def read_edits(path: Path, source: str | None = None) -> Edits:
    """Read the corrections that a report saved; whether they fit a run, ``analysis.edited.apply`` says.

    Args:
        source: what the file is called in messages and in the run's record; else its name.

    Raises:
        SheetError: it cannot be read, is none of these files, or an edit of it is not written as it should be.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SheetError(f"{printable(path)} cannot be read: {error.strerror or error}") from error
    where = source or printable(path.name)
    try:
        whole = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SheetError(f"{where} is no JSON ({error}); give the file that the report saved") from error
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise SheetError(f"{where} holds no edits of a report; give the file that the report saved")
    if whole.get("version") != VERSION:
        said = f"its edits are of version {printable(str(whole.get('version')))}, this scenefer reads {VERSION}"
        raise SheetError(f"{where}: {said}; update scenefer")
    if missing := [name for name in _WHOLE if name not in whole]:
        raise SheetError(f"{where} lacks {', '.join(missing)}; give the file that the report saved")
    entries = whole["edits"]
    if not isinstance(entries, list) or not entries:
        raise SheetError(f"{where}: there is no edit in it; --no-edits takes the edits of a run off")
    edits = tuple(_edit(entry, f"{where}, edit {number}") for number, entry in enumerate(entries, start=1))
    return Edits(str(whole["film"]), str(whole["analysis"]), edits, where, content)


def _edit(entry: Any, where: str) -> Edit:
    if not isinstance(entry, Mapping):
        raise SheetError(f'{where}: an edit is written {{"edit": …}}, not {printable(json.dumps(entry))[:40]}')
    kind = entry.get("edit")
    if not isinstance(kind, str) or kind not in KINDS:
        raise SheetError(f"{where}: unknown edit {printable(str(kind))!r}; {did_you_mean(str(kind), KINDS)}")
    where = f"{where} ({kind})"
    wanted = [entry.name for entry in fields(KINDS[kind])]
    if missing := [name for name in wanted if name not in entry]:
        raise SheetError(f"{where}: it lacks {', '.join(missing)}")
    for name in entry:
        if name not in ("edit", *wanted, *_FOR_PEOPLE):
            raise SheetError(f"{where}: unknown key {printable(name)!r}; {did_you_mean(name, wanted)}")
    return KINDS[kind](**{name: _READERS[name](entry[name], f"{where}: {name}") for name in wanted})


def _number(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise SheetError(f"{where} must be a number as the report shows it, not {_shown(value)}")
    return value


def _person(value: Any, where: str) -> int:
    if _number(value, where) < 1:
        raise SheetError(f"{where} must be a person's number, from 1, not 0")
    return value


def _seconds(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= _LATEST:
        raise SheetError(f"{where} must be seconds of film time, not {_shown(value)}")
    return float(value)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise SheetError(f"{where} must be text, not {_shown(value)}")
    return value


def _name(value: Any, where: str) -> str:
    name = unicodedata.normalize("NFC", _text(value, where)).strip()
    if len(name) > _LONGEST or not all(letter.isprintable() for letter in name):
        raise SheetError(f"{where} must be one line of at most {_LONGEST} characters, not {_shown(name)}")
    return name


def _edge(value: Any, where: str) -> str:
    if value not in ("start", "end"):
        raise SheetError(f"{where} must be start or end, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = printable(json.dumps(value, ensure_ascii=True))
    return text if len(text) <= 60 else f"{text[:60]}…"


_READERS: Mapping[str, Any] = {
    "person": _person, "into": _person, "track": _number, "name": _name, "scene": _text, "edge": _edge,
    "time": _seconds, "start": _seconds, "end": _seconds,
}  # fmt: skip
