"""Every error that a user can answer, as one tree.

    SceneferError            caught once, in the CLI: one line on stderr and an exit code
    ├── FilmError            a film is no film, or cannot be decoded
    │   └── AccessError      it may not be read; its bytes are not at fault
    ├── WeightsError         a weight file is unknown, absent, damaged or of another layout
    ├── SheetError           a sheet of scenes or intentions has a row that cannot be read
    ├── PlanError            a plan or an option names what does not exist: a key, a value, a path
    ├── OutputError          a result cannot be written
    └── WorkerError          a worker was killed, hung or ran out of memory; nothing is known to be wrong with the film

A message says what is wrong, where (file, row, film time), and what to do about it. Mistakes of a programmer
are ``ValueError`` and ``TypeError`` as everywhere, and are not caught.
"""

from __future__ import annotations

import os


class SceneferError(Exception):
    """Something that the user can put right."""


class FilmError(SceneferError):
    """A film is no film, or cannot be decoded."""


class AccessError(FilmError):
    """A film may not be read; its bytes are not at fault."""


class WeightsError(SceneferError):
    """A weight file is unknown, absent, damaged or of another layout."""


class SheetError(SceneferError):
    """A sheet of scenes or intentions has a row that cannot be read."""


class PlanError(SceneferError):
    """A plan or an option names what does not exist: a key, a value, a path."""


class OutputError(SceneferError):
    """A result cannot be written: no permission, no space, or no such folder."""


class WorkerError(SceneferError):
    """A worker was killed, hung, ran out of memory, or met a mistake of ours."""


def unwritable(place: os.PathLike[str] | str, error: OSError, remedy: str) -> OutputError:
    """Say that a file or folder cannot be written, why, and what to do; to be raised from the error."""
    return OutputError(f"{place} cannot be written: {error.strerror or error}; {remedy}")


def printable(text: str | os.PathLike[str]) -> str:
    """Make a text or a path one line that is safe anywhere: control characters and undecodable bytes are escaped."""
    decodable = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in decodable)
