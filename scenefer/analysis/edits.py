"""Corrections by hand, as values: what a reader of a report changed of its people, scenes and moments.

They are kept beside a run and applied, in their order, whenever it is read (``edited``); what was measured stays as it
is. People have the number that the report shows, which is one more than ``actor`` in the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Literal


@dataclass(frozen=True)
class Rename:
    """Rename a person."""

    person: int
    name: str  # empty takes the name off


@dataclass(frozen=True)
class Merge:
    """Two people are one."""

    person: int
    into: int  # whose number and, where there is one, name the two go on with


@dataclass(frozen=True)
class Split:
    """Make a track a person of its own."""

    track: int
    person: int  # the new person's number, which nobody has


@dataclass(frozen=True)
class Boundary:
    """A scene begins or ends elsewhere; its neighbour too, where the two touch."""

    scene: str  # its name
    edge: Literal["start", "end"]
    time: float  # seconds


@dataclass(frozen=True)
class Exclusion:
    """A moment counts for nothing."""

    start: float  # seconds
    end: float  # exclusive


Edit = Rename | Merge | Split | Boundary | Exclusion
KINDS: dict[str, type[Edit]] = {
    "rename": Rename,
    "merge": Merge,
    "split": Split,
    "boundary": Boundary,
    "exclude": Exclusion,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True)
class Edits:
    """The corrections of one file, in the order in which they apply."""

    film: str  # id of the film that they are of
    analysis: str  # and of its analysis, see ``edited.analysis_id``
    edits: tuple[Edit, ...]
    source: str  # the file's name
    content: bytes  # the file

    def record(self) -> dict[str, Any]:
        """Return what ``run.json`` says of them: file, SHA-256, how many, of each kind; and which change shares."""
        return {
            "file": self.source,
            "sha256": sha256(self.content).hexdigest(),
            "n": len(self.edits),
            "kinds": dict(Counter(kind_of(edit) for edit in self.edits)),
            "shares": shares_id(self.edits),
        }


def kind_of(edit: Edit) -> str:
    """Name the kind of a correction, as files do."""
    return _NAMES[type(edit)]


def as_record(edit: Edit) -> dict[str, Any]:
    """Write a correction as files have it."""
    return {"edit": kind_of(edit), **asdict(edit)}


def excluded(edits: Edits | None) -> list[tuple[float, float]]:
    """List the moments that count for nothing, begin and end in seconds."""
    if edits is None:
        return []
    return sorted((edit.start, edit.end) for edit in edits.edits if isinstance(edit, Exclusion))


def shares_id(edits: Iterable[Edit]) -> str | None:
    """Hash the corrections that change shares, those of scenes and moments, into 12 digits; None if there are none."""
    of_time = [as_record(edit) for edit in edits if isinstance(edit, Boundary | Exclusion)]
    return sha256(repr(of_time).encode()).hexdigest()[:12] if of_time else None
